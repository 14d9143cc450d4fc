import base64
import binascii
import re
from dataclasses import replace
from datetime import timezone
from urllib.parse import unquote_to_bytes, urlsplit

from lxml import html

from odoo import fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.http import request

from ..messages import BadHeader, Draft, File, is_id, size_of, write
from ..providers import Found, Outgoing
from .easycrm_email_body import LONG_STYLE
from .header_words import explain_header
from .ingest_threads import MESSAGE_ID_LENGTH

#: An image that is kept here, as the editor writes its address.
IMAGE = re.compile(r"/web/image/([0-9]{1,10})(?!\w)")

#: The server that an address names.
SERVER = re.compile(r"(?:https?:)?//([^/?#]*)", re.IGNORECASE)

#: An image within the text itself.
DATA_IMAGE = re.compile(r"data:(image/[\w.+-]+)(;base64)?,(.*)", re.DOTALL)

#: What such an image takes of the text, where it is in base64 as they all are.
EMBEDDED = re.compile(r"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=]+)")

#: What no name of a file in a header may hold.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def clean_name(name):
    """Return the name of a file on one line."""
    return CONTROLS.sub(" ", name or "").strip()


class EasycrmEmailOutgoing(models.Model):
    """The mail as it leaves: made of what was written, and of its files."""

    _inherit = "easycrm.email.outgoing"

    def _take_files(self):
        """Make the files that go along this mail's own, while their owner is known.

        What its writer may not read does not go along; what belongs to a record may be
        deleted there before the mail leaves.

        :raise UserError: a file is not there any more
        """
        self.ensure_one()
        mail = self.sudo()
        wanted = mail.attachment_ids.with_env(self.env)
        wanted.check_access("read")
        images = self._find_images().with_env(self.env)._filtered_access("read")
        # (of an image from elsewhere the editor keeps the address alone)
        remote = images.sudo().filtered(lambda file: file.type == "url")
        sources = {file.id: file.url or "" for file in remote}
        kept = self.env["ir.attachment"].sudo()
        for file in (wanted | images).sudo() - remote:
            if file.type != "binary":
                raise UserError(
                    self.env._("“%s” is a link. Put it into the text.", file.name)
                )
            taken = file
            if not self._owns(file):
                taken = file.copy(
                    {
                        "res_model": self._name,
                        "res_id": self.id,
                        # (nor may it be got by whoever could get the one it is of)
                        "res_field": False,
                        "public": False,
                        "access_token": False,
                    }
                )
            sources[file.id] = f"/web/image/{taken.id}"
            kept += taken
        mail.body = self._point_to(mail.body, sources)
        mail.attachment_ids = kept

    def _find_images(self):
        """Return the files that the text shows as images, as superuser.

        The quoted text has none taken: somebody else wrote it, and would be sent what
        he named. What is the mail's own already goes along, and is shown there, too.
        """
        root = self._parse(self.sudo().body)
        ids = {self._get_image_id(image) for image in root.iter("img")} - {0}
        files = self.env["ir.attachment"].sudo().browse(sorted(ids)).exists()
        return files.filtered(lambda file: file.type == "url" or self._is_image(file))

    @staticmethod
    def _is_image(file):
        return (file.mimetype or "").startswith("image/")

    @staticmethod
    def _parse(text):
        # (else the parser ends at an image within the text of more than 10 MB)
        parser = html.HTMLParser(huge_tree=True)
        return html.fragment_fromstring(text or "", create_parent="div", parser=parser)

    def _get_image_id(self, image):
        """Return which file of this server an image shows; 0: it is from elsewhere.

        :param image: an element
        """
        source = (image.get("src") or "").strip()
        if named := SERVER.match(source):
            if named[1].lower() not in self._get_own_servers():
                return 0
            source = source[named.end() :]
        found = IMAGE.match(source)
        return int(found[1]) if found else 0

    def _get_own_servers(self):
        # (a template writes that of the record, which may have a website of its own)
        mail = self.sudo()
        records = (mail, mail.partner_id, mail.lead_id)
        bases = [record.get_base_url() for record in records]
        bases.append(request.httprequest.host_url if request else "")
        return {urlsplit(base).netloc.lower() for base in bases if base}

    def _point_to(self, text, sources):
        """Return a text whose images are shown from elsewhere.

        :param dict sources: addresses by the ids of the files that are shown now
        """
        root, is_changed = self._parse(text), False
        for image in root.iter("img"):
            source = sources.get(self._get_image_id(image))
            if source is not None and source != image.get("src"):
                image.set("src", source)
                is_changed = True
        if not is_changed:
            return text
        # (without the element that it was put into)
        return html.tostring(root, encoding="unicode")[len("<div>") : -len("</div>")]

    def _check_mail(self):
        """Check that the mail can be written, and is not too large for its service.

        :raise UserError: in words
        """
        limit = self.account_id._get_send_limits().message_bytes
        images, text_size = self._measure_text()
        sizes = [*self.attachment_ids.mapped("file_size"), *images]
        size = size_of(sizes, text_size)
        if size > limit:
            raise UserError(
                self.env._(
                    "This email is too large: %(size)s with its files. At most "
                    "%(limit)s can be sent from this mailbox.",
                    size=tools.human_size(size),
                    limit=tools.human_size(limit),
                )
            )
        # (what takes minutes holds up the writer, and not the outbox of everybody)
        self._make_html()
        try:
            write(self._make_header(), bcc=True)
        except BadHeader as error:
            words = explain_header(self.env, error.code, error.value)
            raise UserError(words) from None

    def _measure_text(self):
        """Return the sizes of the images within the text, and its own without them.

        :return: (list of bytes, characters)
        """
        text = f"{self.body or ''}{self.quoted_html or ''}"
        images = EMBEDDED.findall(text)
        return [len(one) * 3 // 4 for one in images], len(text) - sum(map(len, images))

    def _make_outgoing(self):
        """Return the `providers.Outgoing` that is handed over, files and all."""
        self.ensure_one()
        thread_ref, reply_to = self._find_answered()
        return Outgoing(self._make_draft(), thread_ref, reply_to)

    def _find_answered(self):
        """Return what the mailbox calls the conversation that is answered, and where.

        :return: (thread_ref, `providers.Found` or None)
        """
        if self.reply_kind not in ("reply", "reply_all"):
            return "", None
        copies = self.env["easycrm.email.copy"].search(
            Domain("account_id", "=", self.account_id.id)
            & Domain("email_id.thread_id", "=", self.reply_to_id.thread_id.id)
            & Domain("removed_at", "=", False),
            order="date desc, id desc",
        )
        answered = copies.filtered(lambda copy: copy.email_id == self.reply_to_id)
        place = answered.location_ids[:1]
        reply_to = Found(place.stream, place.provider_ref) if place else None
        refs = [copy.thread_ref for copy in answered + copies if copy.thread_ref]
        return refs[0] if refs else "", reply_to

    def _make_draft(self):
        """Return the `messages.Draft` of this mail."""
        self.ensure_one()
        body, files = self._make_html()
        return replace(self._make_header(), html=body, files=files)

    def _make_header(self):
        """Return the `messages.Draft` of this mail, without what is in it."""
        in_reply_to, references = self._get_references()
        people = {
            role: tuple(
                (person.name or "", person.address)
                for person in self.recipient_ids
                if person.role == role
            )
            for role in ("to", "cc", "bcc")
        }
        date = self.handed_at or fields.Datetime.now()
        sender = self.from_address or self.account_id.email
        return Draft(
            message_id=self.message_id,
            date=date.replace(tzinfo=timezone.utc),
            sender=(self.from_name or self.user_id.name, sender),
            subject=self.subject or "",
            in_reply_to=in_reply_to,
            references=references,
            **people,
        )

    def _get_references(self):
        """Return what the mail answers, and the conversation before, oldest first."""
        email = self.reply_to_id
        if self.reply_kind not in ("reply", "reply_all") or not email:
            return "", ()
        known = [email.thread_id.root or "", email.message_id]
        # (a shortened one would be another; and where a mail had none, it got one here)
        known = [
            one
            for one in known
            if one
            and len(one) < MESSAGE_ID_LENGTH
            and not one.endswith(".invalid>")
            # (where no header may hold it, the services know the conversation)
            and is_id(one)
        ]
        references = tuple(dict.fromkeys(known))
        is_known = email.message_id in references
        return email.message_id if is_known else "", references

    def _make_html(self):
        """Return the HTML that leaves, and the files beside it.

        Images that are kept here, or stand in the text, go along with the mail.

        :return: (str, tuple of `messages.File`)
        """
        parts = [self._sanitize(self.body), self._sanitize(self.quoted_html)]
        root = self._parse("".join(parts))
        own = {file.id: file for file in self.attachment_ids if self._owns(file)}
        shown = {}
        for image in list(root.iter("img")):
            self._take_image(image, own, shown)
        body = html.tostring(root, encoding="unicode") + self._get_pixel()
        body = self.env["mail.render.mixin"]._replace_local_links(
            body, self.get_base_url()
        )
        files = [
            File(clean_name(file.name), file.mimetype or "", self._read(file))
            for file in self.attachment_ids.sorted("id")
            if file.id not in shown
        ]
        return body, (*shown.values(), *files)

    def _read(self, file):
        """Return the bytes of a file.

        :raise UserError: they are gone: an empty file must not go out in their place
        """
        content = file.raw or b""
        if len(content) != file.file_size:
            raise UserError(
                self.env._("The file “%s” is not there any more.", file.name)
            )
        return content

    def _sanitize(self, text):
        return str(
            tools.html_sanitize(
                LONG_STYLE.sub("", text or ""),
                sanitize_attributes=True,
                sanitize_style=True,
                sanitize_form=True,
            )
        )

    def _take_image(self, image, own, shown):
        """Let an image of the text go along as a part of the mail.

        :param dict own: the mail's files by id
        :param dict shown: the `File`s that are shown, by id or by the whole address
        """
        source = image.get("src") or ""
        if file_id := self._get_image_id(image):
            file = own.get(file_id)
            if not file or not self._is_image(file):
                image.drop_tree()  # nobody but people who are signed in could load it
                return
            key, content = file.id, (file.name, file.mimetype, self._read(file))
        elif match := DATA_IMAGE.match(source):
            data = unquote_to_bytes(match[3])
            try:
                data = base64.b64decode(data) if match[2] else data
            except binascii.Error:
                image.drop_tree()
                return
            extension = match[1].rpartition("/")[2].partition("+")[0]
            key = source
            content = f"image{len(shown) + 1}.{extension}", match[1], data
        else:
            return
        if key not in shown:
            local, _at, domain = self.message_id.strip("<>").rpartition("@")
            content_id = f"{len(shown) + 1}.{local}@{domain}"
            name, mimetype, data = content
            shown[key] = File(clean_name(name), mimetype or "", data, content_id)
        image.set("src", f"cid:{shown[key].content_id}")
