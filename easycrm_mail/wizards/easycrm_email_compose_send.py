from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .easycrm_email_compose import RECORD_FIELDS

#: The class of the user's signature in a text.
SIGNATURE = "o-signature-container"

#: Records that one window may write to, an email each. More is a campaign.
RECORD_LIMIT = 50


class EasycrmEmailCompose(models.TransientModel):
    """What the window shows, and what becomes of it when it is sent."""

    _inherit = "easycrm.email.compose"

    def easycrm_reopen(self):
        """Return what the window shows, see `_get_window`, once more."""
        self.check_access("write")
        return self._get_window()

    def _get_window(self):
        """Return all that the window shows.

        :return: dict with `id`, `outgoing_id`, `records` (each with `id`, `name`,
            `model`, `kind` and `address`), `from` (see
            `easycrm.email.account.easycrm_send_options`), `files`, `forwarded` (files
            of the forwarded email that are still to be taken), `quote` (a document),
            `documents` (how many there are on the record) and what may be written
        """
        self.ensure_one()
        saved = self.outgoing_id.write_date
        return {
            "id": self.id,
            "outgoing_id": self.outgoing_id.id,
            "saved_at": saved and fields.Datetime.to_string(saved),
            "records": self._get_record_words(),
            "many": self.many,
            "from": self.env["easycrm.email.account"].easycrm_send_options(),
            "account_id": self.account_id.id,
            "from_address": self.from_address or "",
            "recipients": {
                role: self._flag_people(people)
                for role, people in (self.recipients or {}).items()
            },
            "subject": self.subject or "",
            "body": self.body or "",
            "quote": self._get_quote_window(),
            "reply_kind": self.reply_kind,
            "files": self._get_files(),
            "forwarded": self._get_forwarded(),
            "documents": len(self._search_documents()),
            "template": bool(self.template_id)
            and {"id": self.template_id.id, "name": self.template_id.name},
            "track_opens": self.track_opens,
            "body_locked": self._is_body_locked(),
        }

    def _get_record_words(self):
        records = self._get_records()
        if not records:
            return []
        people = records._easycrm_get_recipients()
        return [
            {
                "id": record.id,
                "model": record._name,
                "name": record.name or record.display_name,
                "kind": record.type if record._name == "crm.lead" else "contact",
                "address": (people[record.id] or {}).get("address", ""),
            }
            for record in records
        ]

    def _get_forwarded(self):
        """Return the forwarded email's attachments that have not been taken yet."""
        # (a draft may be older than what is allowed today)
        email = self.reply_to_id._filtered_access("read")
        if self.reply_kind != "forward" or not email:
            return []
        taken = self._get_taken("forwarded")
        files = email.easycrm_values()["attachments"]
        return [file for file in files if file["id"] not in taken]

    def easycrm_send(self, values, scheduled_at=False):
        """Queue what is written; it leaves when it can no longer be taken back.

        :param dict values: see `easycrm_save`
        :param str scheduled_at: not before then, UTC
        :return: dict with `ids` (of the outgoing emails), `seconds` (in which they can
            be taken back), `to` (in words) and `scheduled_at`
        :raise UserError: it cannot be sent, in words
        """
        self.ensure_one()
        self._write_window(values)
        if self.many:
            outgoing = self._make_batch()
        else:
            self._check_missing(self.subject, self.body)
            outgoing = self._save_draft()
        when = fields.Datetime.to_datetime(scheduled_at) if scheduled_at else None
        queued = [one.action_queue(when) for one in outgoing]
        return {
            "ids": outgoing.ids,
            "seconds": queued[0]["seconds"],
            "to": queued[0]["to"]
            if len(outgoing) == 1
            else self.env._("%s people, one email each", len(outgoing)),
            "scheduled_at": scheduled_at,
        }

    def _make_batch(self):
        """Return the outgoing emails of several records, each with its own values."""
        records = self._get_records()
        if len(records) > RECORD_LIMIT:
            raise UserError(
                self.env._(
                    "An email to more than %s people goes out as a campaign.",
                    RECORD_LIMIT,
                )
            )
        self._check_not_sent(records)
        people = records._easycrm_get_recipients()
        reachable = records.filtered(lambda record: people[record.id])
        if not reachable:
            raise UserError(self.env._("None of them has an email address."))
        marked = self.with_context(easycrm_mark_missing=True)
        subjects = marked._render_field("subject", reachable.ids, compute_lang=True)
        bodies = marked._render_field("body", reachable.ids, compute_lang=True)
        made = self.env["easycrm.email.outgoing"]
        batch = self._get_batch_name()
        for record in reachable:
            subject = self._mark_missing_text(subjects[record.id])
            body = self._mark_missing_html(bodies[record.id])
            self._check_missing(subject, body, record.name)
            if self.template_id and SIGNATURE not in body:
                body += self._get_signature()
            person = people[record.id]
            outgoing = made.create(
                {
                    **self._get_outgoing_values(record, subject, body),
                    "batch": batch,
                    "recipient_ids": [Command.create({"role": "to", **person})],
                }
            )
            for file in self.attachment_ids:
                copied = file.copy({"res_model": outgoing._name, "res_id": outgoing.id})
                outgoing.attachment_ids = [Command.link(copied.id)]
            made += outgoing
        return made

    def _get_batch_name(self):
        return f"compose-{self.id}"

    def _check_not_sent(self, records):
        """Check that these do not have their emails already: the answer was lost.

        Those that were taken back are deleted, see `easycrm_undo`.

        :raise UserError: they are on their way
        """
        # (whoever sends it meanwhile has to begin anew, and sees them)
        self.env.cr.execute(
            SQL(
                "UPDATE easycrm_email_compose SET write_date = write_date"
                " WHERE id = %s",
                self.id,
            )
        )
        over = ("draft", "cancelled")
        if self.env["easycrm.email.outgoing"].search_count(
            Domain("batch", "=", self._get_batch_name())
            & Domain(RECORD_FIELDS[records._name], "in", records.ids)
            & Domain("state", "not in", over),
            limit=1,
        ):
            raise UserError(self.env._("This email is on its way already."))

    def easycrm_undo(self, outgoing_ids):
        """Take back what was just sent.

        :param list outgoing_ids: see `easycrm_send`
        :return: dict with `late` (how many have left already) and `window` (see
            `_get_window`; False if nothing came back)
        """
        outgoing = self.env["easycrm.email.outgoing"].browse(outgoing_ids)
        back = outgoing.filtered(lambda one: one.action_undo()["undone"])
        late = outgoing - back
        if not back:
            return {"late": len(late), "window": False}
        compose = self.exists()
        if not compose or not (compose.many or compose.outgoing_id):
            context = {"easycrm_outgoing_id": back[:1].id}
            compose = self.with_context(**context).create({})
        elif compose.many:
            # it holds what is common to them; those that have left are done with
            field = RECORD_FIELDS[compose.res_model]
            compose.res_ids = back[field].ids
            back.unlink()
        return {"late": len(late), "window": compose._get_window()}
