from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.mail import html_to_inner_content

from .easycrm_email_account_health import RETRIES

#: States that stand above the timeline, in their order there.
SHOWN = ["doubt", "refused", "sending", "queued", "draft"]

#: Characters of the text that are shown.
SNIPPET_LENGTH = 200


class EasycrmEmailOutgoing(models.Model):
    """What is written from a record and is not among its emails: its cards."""

    _inherit = "easycrm.email.outgoing"

    @api.model
    def easycrm_planned(self, model, res_id):
        """Return what is written from a record, or did not get out of the house.

        :param str model: `res.partner` or `crm.lead`
        :return: list of dicts: `id`, `state`, `mine`, `writer`, `subject`, `snippet`,
            `to`, `when` (UTC, or False), `error` (words, or empty) and what the user
            may do: `can_edit`, `can_send_now`, `can_send_again`, `can_cancel`,
            `can_discard`
        :raise AccessError: the record is not for this user, or gone
        """
        record = self.env["easycrm.email.copy"]._get_record(model, res_id)
        owner = self.env["easycrm.email.address"]._get_owner_field(record._name)
        written = Domain(owner, "=", record.id)
        if owner == "partner_id":
            written |= Domain("partner_id.commercial_partner_id", "=", record.id)
        mails = self.search(written & Domain("state", "in", SHOWN))
        mails = mails.sorted(
            lambda mail: (SHOWN.index(mail.state), mail.scheduled_at or mail.write_date)
        )
        return [mail._get_card() for mail in mails]

    def _get_card(self):
        self.ensure_one()
        mail = self.sudo()
        mine = mail.user_id == self.env.user
        is_asked = mail.state == "refused" or mail.state == "doubt" and mail.asked_at
        return {
            "id": mail.id,
            "state": mail.state,
            "mine": mine,
            "writer": mail.user_id.name,
            "subject": mail.subject or "",
            "snippet": self._get_snippet(),
            "to": mail.with_env(self.env).sudo()._get_names(),
            "when": fields.Datetime.to_string(mail._get_moment()),
            "error": self._get_trouble(),
            "can_edit": mine and (mail.state == "draft" or mail._can_undo()),
            "can_send_now": mail.state == "queued",
            "can_send_again": bool(is_asked and mail.account_id),
            "can_cancel": mail.state == "queued",
            "can_discard": bool(is_asked) or mine and mail.state == "draft",
        }

    def _get_snippet(self):
        body = self.sudo().body or ""
        return html_to_inner_content(self._sanitize(body))[:SNIPPET_LENGTH]

    def _get_moment(self):
        """Return when it leaves, or is asked for, or was written."""
        if self.state == "queued":
            return max(self.scheduled_at, self.next_try_at or self.scheduled_at)
        if self.state == "draft":
            return self.write_date
        return self.handed_at or self.scheduled_at or self.write_date

    def _get_trouble(self):
        """Say what is wrong with it, to the reader; nothing if all is well."""
        mail, env = self.sudo(), self.env
        if mail.state == "doubt":
            if not mail.asked_at:
                return env._(
                    "The connection broke while it was handed over. The mailbox is "
                    "asked whether it went out."
                )
            return env._(
                "It is not among the sent mail of %s, and may have gone out all the "
                "same. It is not sent again by itself.",
                mail.account_id.email or env._("its mailbox, which was deleted"),
            )
        if mail.state == "refused":
            people = [
                f"{person.address}: {person.refused}"
                for person in mail.recipient_ids
                if person.refused
            ]
            return "\n".join([mail.error or "", *people]).strip()
        if mail.state == "queued" and mail.error:
            if mail.attempts > RETRIES or mail.error_kind == "reconnect":
                return env._("It waits: %s", mail.error)
            return env._("It is tried again soon: %s", mail.error)
        return ""
