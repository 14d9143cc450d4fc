"""What a mailing sends through a bulk sender, written down as batches of one text."""

import hashlib
import json
import re
import uuid
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from lxml import html as lxml_html
from markupsafe import escape

from odoo.tools import email_normalize, html2plaintext, is_html_empty
from odoo.tools.mail import (
    URL_SKIP_PROTOCOL_REGEX,
    append_content_to_html,
    email_split_tuples,
)

from odoo.addons.link_tracker.tools.html import find_links_with_urls_and_labels

from ..esp import MAX_RECIPIENTS, fences

#: Bytes of one recipient's values that are left to the links and headers of his own.
RESERVED = 3000

#: Links that Odoo writes alike for all, and the places of what each recipient gets.
OWN_LINKS = {"/unsubscribe_from_list": "unsubscribe", "/view": "view"}

_MARKUP = re.compile(r"[<&]")


class WrittenContent(NamedTuple):
    """A text of the mailing, and the names of the places in it."""

    id: int
    names: set


class BulkWriter:
    """Writes batches of a mailing, a page of recipients at a time.

    :param mailing: the `mailing.mailing`, as superuser
    """

    def __init__(self, mailing):
        self.env = mailing.env
        self.mailing = mailing
        self.base_url = mailing.get_base_url()
        self.seen = self._find_seen()  # addresses
        self.contents = {}  # digest -> WrittenContent
        # (many get the same)
        self.to_text = lru_cache(maxsize=64)(html2plaintext)
        self.esp = mailing.easycrm_esp_id
        self.filling = defaultdict(list)  # content id -> batches that are not full

    def write_page(self, model, values, recipients):
        """Write the batches of a page.

        :param str model: of the recipients
        :param dict values: {record id: values of the mail}, as the composer gives them
        :param dict recipients: {record id: its addresses}, likewise
        """
        self._choose_sender()
        records = self.env[model].browse(values)
        names = self._get_partner_names(values)
        rows = []
        for record in records:
            mail = values[record.id]
            content, slots = self._write_content(mail, record.get_base_url())
            linked = self._find_own_links(slots)
            for address, name in self._get_people(recipients[record.id], mail, names):
                trace = {**mail["mailing_trace_ids"][0][2], "email": address}
                if address in self.seen:
                    twice = {"trace_status": "cancel", "failure_type": "mail_dup"}
                    rows.append({**trace, **twice})
                    continue
                self.seen.add(address)
                own = self._get_own_values(
                    record.id, address, mail, content.names | linked
                )
                batch = self._find_batch(content.id, address)
                rows.append(
                    {
                        **trace,
                        "trace_status": "outgoing",
                        "easycrm_batch_id": batch.id,
                        "easycrm_esp_id": self.esp.id,
                        "easycrm_values": json.dumps(
                            {
                                "name": name,
                                "values": self._select(content, slots, own),
                            }
                        ),
                    }
                )
        self.env["mailing.trace"].create(rows)

    def _choose_sender(self):
        """Write for the sender that the mailing has now: a person may change it."""
        esp = self.mailing.easycrm_esp_id or self.esp
        if esp != self.esp:
            self.esp = esp
            self.filling.clear()
        # (what is in the text stands in the plain text too)
        self.limit = (self.esp._get_max_bytes() - RESERVED) // 2

    # --- who gets it ---

    def _find_seen(self):
        """Return the addresses that the mailing is for already.

        Odoo lets an address that stands in two contacts have two mails, where they
        differ. Nobody wants the same campaign twice.
        """
        traces = self.env["mailing.trace"].search_fetch(
            [
                ("mass_mailing_id", "=", self.mailing.id),
                ("easycrm_batch_id", "!=", False),
                ("id", "not in", self.env.context.get("easycrm_retried", ())),
            ],
            ["email"],
        )
        return set(traces.mapped("email"))

    def _get_partner_names(self, values):
        ids = {
            command[1]
            for mail in values.values()
            for command in mail.get("recipient_ids") or []
        }
        partners = self.env["res.partner"].browse(ids)
        return {p.email_normalized: p.name for p in partners}

    def _get_people(self, recipients, mail, names):
        """Return who gets the mail of one record: [(address, name)]."""
        told = {
            email_normalize(address): name
            for name, address in email_split_tuples(mail.get("email_to") or "")
        }
        return [
            (address, names.get(address) or told.get(address) or "")
            for address in dict.fromkeys(recipients["mail_to_normalized"])
        ]

    def _get_own_values(self, res_id, address, mail, names):
        """Return what every recipient has for himself, by the names of its places.

        :param set names: of those that are wanted
        """
        mailing = self.mailing
        writers = {
            "subject": lambda: mail["subject"] or "",
            "messageid": lambda: mail["message_id"],
            "oneclick": lambda: mailing._get_unsubscribe_oneclick_url(address, res_id),
            "unsubscribe": lambda: mailing._get_unsubscribe_url(address, res_id),
            "view": lambda: mailing._get_view_url(address, res_id),
        }
        return {name: writers[name]() for name in writers.keys() & names}

    # --- which batch ---

    def _find_batch(self, content_id, address):
        """Return a batch of the content that has room, and the address not yet."""
        for place in self.filling[content_id]:
            if address not in place["addresses"]:
                break
        else:
            place = {"batch": self._make_batch(content_id), "addresses": set()}
            self.filling[content_id].append(place)
        place["addresses"].add(address)
        if len(place["addresses"]) == MAX_RECIPIENTS:
            place["batch"].state = "prepared"
            self.filling[content_id].remove(place)
        return place["batch"]

    def _make_batch(self, content_id):
        return self.env["easycrm.esp.batch"].create(
            {
                "esp_id": self.esp.id,
                "mailing_id": self.mailing.id,
                "content_id": content_id,
                "key": str(uuid.uuid4()),
                "state": "filling",
            }
        )

    # --- what they get ---

    def _write_content(self, mail, base_url):
        """Return the content that the mail of one record has, and the record's values.

        :return: (the `Content`, {name of the place: value})
        """
        literals, values = fences.split(str(mail["body_html"] or ""))
        literals, values = fences.fold(literals, values, self.limit)
        is_static = "{{" not in (self.mailing.subject or "")
        head = {
            "sender": mail["email_from"],
            "reply_to": mail.get("reply_to") or "",
            "subject": mail["subject"] if is_static else fences.mark("subject"),
        }
        links = self._get_linked_files()
        key = json.dumps([head, literals, base_url, *links.ids], sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()
        if digest not in self.contents:
            self.contents[digest] = self._find_content(digest, head, literals, base_url)
        slots = {}
        for at, value in enumerate(values):
            slots[f"v{at}"] = self._localise(value, base_url)
            slots[f"t{at}"] = self.to_text(value) if _MARKUP.search(value) else value
        return self.contents[digest], slots

    def _localise(self, value, base_url):
        if "/" not in value:
            return value
        return str(self.env["mail.render.mixin"]._replace_local_links(value, base_url))

    def _find_own_links(self, values):
        """Return the names of the own links that stand in values."""
        return {
            name
            for path, name in OWN_LINKS.items()
            if any(f"{self.base_url}{path}" in value for value in values.values())
        }

    def _select(self, content, slots, own):
        """Return the values that stand in a content, with one's own links in them."""
        values = {**slots, **own}
        values = {name: values[name] for name in content.names}
        for path, name in OWN_LINKS.items():
            generic = f"{self.base_url}{path}"
            for place, value in values.items():
                if name in own and generic in value:
                    values[place] = value.replace(generic, own[name])
        return values

    def _find_content(self, digest, head, literals, base_url):
        Content = self.env["easycrm.esp.content"]
        domain = [("mailing_id", "=", self.mailing.id), ("digest", "=", digest)]
        content = Content.search(domain, limit=1)
        if not content:
            body = self._write_body(literals, base_url)
            values = {**head, **body, "headers": self._write_headers()}
            content = Content.create(
                {
                    "mailing_id": self.mailing.id,
                    "digest": digest,
                    "content": json.dumps(values, ensure_ascii=False),
                }
            )
        return WrittenContent(content.id, fences.names(content.content))

    def _write_body(self, literals, base_url):
        """Return the body, its places named: what Odoo does with each mail, once."""
        html = fences.number(literals, "v")
        links = self._get_linked_files()
        if is_html_empty(html) and not links:
            return {"html": "", "text": ""}
        html = str(self.env["mail.render.mixin"]._replace_local_links(html, base_url))
        html = self._link_files(self._track_links(html), links)
        for path, name in OWN_LINKS.items():
            html = html.replace(f"{self.base_url}{path}", fences.mark(name))
        return {"html": html, "text": fences.rename(html2plaintext(html), "v", "t")}

    def _get_linked_files(self):
        """Return the attachments that are only a link to a file, in its own storage."""
        return self.mailing.attachment_ids._easycrm_get_linked()

    def _link_files(self, html, files):
        """Write the links to files below the text, as Odoo does in each mail."""
        if not files:
            return html
        files.generate_access_token()
        links = self.env["ir.qweb"]._render(
            "mail.mail_attachment_links", {"attachments": files}
        )
        return str(append_content_to_html(html, links, plaintext=False))

    def _track_links(self, html):
        """Register the links, and let them say which mailing they come from.

        The sender counts the clicks: Odoo's own short links would count them twice.
        """
        if not self.esp.tracks_clicks:
            return html
        _nodes, links = find_links_with_urls_and_labels(
            lxml_html.fromstring(html),
            self.base_url,
            skip_regex=rf"^{URL_SKIP_PROTOCOL_REGEX}",
            skip_list=(*OWN_LINKS, "/cards"),
        )
        links = [link for link in links if fences.OPEN not in link["url"]]
        if not links:
            return html
        values = self.mailing._get_link_tracker_values()
        trackers = self.env["link.tracker"].search_or_create(
            # (with a title, that it does not read the page to find one)
            [
                {**values, **link, "title": link["label"] or link["url"]}
                for link in links
            ]
        )
        for link, tracker in zip(links, trackers, strict=True):
            for written in {link["url"], str(escape(link["url"]))}:
                html = html.replace(
                    f'href="{written}"', f'href="{escape(tracker.redirected_url)}"'
                )
        return html

    def _write_headers(self):
        """Return the headers of each mail, their places named (RFC 8058)."""
        return {
            "Message-ID": fences.mark("messageid"),
            "List-Unsubscribe": f"<{fences.mark('oneclick')}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "list",
            "X-Auto-Response-Suppress": "OOF",
        }
