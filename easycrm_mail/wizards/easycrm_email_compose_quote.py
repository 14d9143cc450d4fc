import re

from lxml import html
from markupsafe import Markup

from odoo import api, fields, models, tools
from odoo.exceptions import UserError

from ..models.addresses import normalise
from ..models.body_urls import BodyUrls

#: What answering and forwarding has put in front of a subject already.
REPLIED = re.compile(r"^\s*(re|aw|antw|sv|vs|rv)\s*(\[\d+\])?\s*:", re.IGNORECASE)
FORWARDED = re.compile(r"^\s*(fwd?|wg|tr|rv|vb|enc)\s*(\[\d+\])?\s*:", re.IGNORECASE)


#: When a quoted mail was written: to the minute.
QUOTE_DATE = "EEE d MMM y, HH:mm"


class EasycrmEmailCompose(models.TransientModel):
    """Answers: to whom they go, and the text below them."""

    _inherit = "easycrm.email.compose"

    @api.model
    def _get_reply_values(self, email, kind):
        """Return what an answer to that email begins with.

        :param str kind: reply, reply_all or forward
        :raise AccessError: the email is not for this user
        :raise UserError: he may not see its text, so he cannot quote it
        """
        email.check_access("read")
        if email._get_share_levels().get(email.id) != "everything":
            raise UserError(
                self.env._("Only who may read this email may answer or forward it.")
            )
        people = email._get_people()[email.id]
        subject = email.subject or ""
        if kind == "forward":
            recipients = {"to": [], "cc": [], "bcc": []}
            subject = subject if FORWARDED.match(subject) else f"Fwd: {subject}"
        else:
            recipients = self._get_reply_recipients(email, people, kind)
            subject = subject if REPLIED.match(subject) else f"Re: {subject}"
        return {
            "reply_to_id": email.id,
            "reply_kind": kind,
            "recipients": recipients,
            "subject": subject.strip(),
            "quoted_html": self._get_quote(email, people, kind),
        }

    @api.model
    def _get_reply_recipients(self, email, people, kind):
        """Return who gets the answer: the writer himself only if nobody is left."""
        sender = people["from"]
        own = self.env["easycrm.email"]._get_own_addresses()
        if sender and sender["address"] not in own:
            to = self._get_reply_to(email, own) or [sender]
        else:
            to = people["to"]
        cc = []
        if kind == "reply_all":
            to, cc = to + [one for one in people["to"] if one not in to], people["cc"]
        taken, recipients = set(own), {}
        for role, found in (("to", to), ("cc", cc)):
            recipients[role] = []
            for person in found:
                if person["address"] not in taken:
                    taken.add(person["address"])
                    recipients[role].append(self._get_person(person))
        if not recipients["to"] and not recipients["cc"]:
            recipients["to"] = [self._get_person(person) for person in to]
        return {**recipients, "bcc": []}

    @api.model
    def _get_reply_to(self, email, own):
        """Return the people whom a received mail asks to answer, in its sender's place.

        :param set own: addresses of the user's own, which do not count
        """
        if email.direction != "inbound":
            return []
        # (read as the user: it is told to whom the text is told)
        content = self.env["easycrm.email.content"].search(
            [("email_id", "=", email.id)], limit=1
        )
        people = [
            {"name": name, "address": normalise(address)}
            for name, address in content.reply_to or []
        ]
        people = [person for person in people if person["address"] not in own]
        partners = email._get_partner_ids({person["address"] for person in people})
        return [
            {**person, "partner_id": partners.get(person["address"], False)}
            for person in people
        ]

    @api.model
    def _get_person(self, person):
        names = ("name", "address", "partner_id")
        return {name: person[name] or (name == "name" and "") for name in names}

    @api.model
    def _get_quote(self, email, people, kind):
        """Return the answered email as it stands below the answer."""
        date = tools.format_datetime(self.env, email.date, dt_format=QUOTE_DATE)
        # (images from elsewhere stay in: it is the recipient's own text)
        body, _hosts = email._render_body(remote=True)
        if kind != "forward":
            sender = self._get_address_words([people["from"]] if people["from"] else [])
            head = self.env._(
                "On %(date)s, %(sender)s wrote:", date=date, sender=sender
            )
            return Markup(
                '<div class="o_easycrm_quote" data-o-mail-quote="1"><p>%s</p>'
                '<blockquote type="cite" style="margin: 0 0 0 8px; padding-left: 12px; '
                'border-left: 2px solid silver;">%s</blockquote></div>'
            ) % (head, body)
        lines = [
            (self.env._("From"), [people["from"]] if people["from"] else []),
            (self.env._("To"), people["to"]),
            (self.env._("Cc"), people["cc"]),
        ]
        head = [
            (word, self._get_address_words(found)) for word, found in lines if found
        ]
        head.insert(1, (self.env._("Date"), date))
        head.insert(2, (self.env._("Subject"), email.subject or ""))
        return Markup('<div class="o_easycrm_quote"><p>%s<br>%s</p>%s</div>') % (
            self.env._("---------- Forwarded email ----------"),
            Markup("<br>").join(
                Markup("<b>%s:</b> %s") % (word, text) for word, text in head
            ),
            body,
        )

    @api.model
    def _get_address_words(self, people):
        return ", ".join(
            f"{person['name']} <{person['address']}>"
            if person["name"]
            else person["address"]
            for person in people
        )

    def _get_quote_window(self):
        """Return the quoted text as a document for a sandboxed frame, or False.

        Its images from elsewhere are sent along, but not fetched here: looking at what
        is quoted tells its sender no more than reading it did.
        """
        if not self.quoted_html or not self.quoted_kept:
            return False
        Email = self.env["easycrm.email"]
        root = html.fragment_fromstring(self.quoted_html, create_parent="div")
        BodyUrls(Email._get_own_hosts(), images={}, remote=False).clean(root)
        quote = Markup(html.tostring(root, encoding="unicode"))
        return Email._get_frame_document(quote, "data:")

    def easycrm_take_files(self, line_ids):
        """Add attachments of an email, out of a mailbox if need be.

        :param list line_ids: of `easycrm.email.attachment`
        :return: list of files, see `_get_files`
        :raise UserError: no mailbox that holds it can be reached
        """
        self.ensure_one()
        # (one that was taken may have been removed: it does not come back)
        taken = set(self._get_taken("forwarded"))
        lines = self.env["easycrm.email.attachment"].browse(set(line_ids) - taken)
        for line in lines.sorted("id"):
            # as it came; but nothing that a browser would run
            file = line._get_bytes().with_context(
                image_no_postprocess=True, attachments_mime_plainxml=True
            )
            copied = file.sudo().copy(
                {
                    "name": line.name,
                    "mimetype": line.mimetype,
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )
            self.attachment_ids += copied.sudo(False)
        self._set_taken("forwarded", [*taken, *lines.ids])
        return self._get_files()

    def _get_taken(self, kind):
        """Return ids, see `taken`."""
        return (self.taken or {}).get(kind) or []

    def _set_taken(self, kind, ids):
        self.taken = {**(self.taken or {}), kind: ids}

    def easycrm_take_documents(self, file_ids):
        """Add copies of documents of the record that it is written from.

        :param list file_ids: of those that `easycrm_get_documents` names
        :return: list of files, see `_get_files`
        """
        self.ensure_one()
        known = self._search_documents()
        self._add_copies(known.filtered(lambda file: file.id in file_ids))
        return self._get_files()

    def _search_documents(self):
        records = self._get_records()
        if not records or self.many:
            return self.env["ir.attachment"]
        return self.env["ir.attachment"].search(
            [
                ("res_model", "=", records._name),
                ("res_id", "=", records.id),
                ("res_field", "=", False),
                ("type", "=", "binary"),
            ],
            order="id desc",
            limit=80,
        )

    def easycrm_get_documents(self):
        """Return the documents of the record, see `_get_files`; and when each came."""
        self.ensure_one()
        return [
            {
                **self._get_file(file),
                "date": fields.Datetime.to_string(file.create_date),
            }
            for file in self._search_documents()
        ]

    def _get_files(self):
        return [self._get_file(file) for file in self.attachment_ids.sorted("id")]

    @api.model
    def _get_file(self, file):
        return {
            "id": file.id,
            "name": file.name,
            "mimetype": file.mimetype or "",
            "size": file.file_size,
        }
