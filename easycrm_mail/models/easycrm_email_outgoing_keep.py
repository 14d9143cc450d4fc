from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.sql import escape_psql

from .addresses import normalise

#: Days for which what was written is kept beside the email that it became.
WRITTEN_DAYS = 30

#: Mails that are cleared in one go.
BATCH = 1000


class EasycrmEmailOutgoing(models.Model):
    """How long the outbox keeps what was written: it stands on the timeline then."""

    _inherit = "easycrm.email.outgoing"

    @api.autovacuum
    def _gc_written(self):
        """Forget the text and files of what is over; its Message-ID is still known.

        :return: how many mails were cleared, and whether there may be more
        """
        limit = fields.Datetime.now() - timedelta(days=WRITTEN_DAYS)
        over = Domain("write_date", "<", limit)
        cancelled = Domain("state", "=", "cancelled") & Domain("handed_at", "=", False)
        gone = self.search(over & cancelled, limit=BATCH)
        counts = [len(gone)]
        gone.unlink()
        has_text = Domain("body", "!=", False) | Domain("quoted_html", "!=", False)
        sent = self.search(
            over & Domain("state", "in", ["sent", "cancelled"]) & has_text, limit=BATCH
        )
        sent.attachment_ids.filtered(sent._owns).unlink()
        sent.write({"body": False, "quoted_html": False})
        counts.append(len(sent))
        return sum(counts), BATCH in counts

    @api.model
    def _find_unsent(self, partners, addresses, own):
        """Return what is written to nobody but these people and our own, and stands
        nowhere else.

        What is on its way, or may be, is not among it.

        :param partners: contacts, of the user's companies
        :param list addresses: theirs, normalised
        :param set own: addresses of our own people, normalised
        """
        domain = Domain("partner_id", "in", partners.ids)
        for address in addresses:
            spelled = ("recipient_ids.address", "=ilike", escape_psql(address))
            domain |= Domain(*spelled)
        domain &= Domain("account_id", "=", False) | Domain(
            "account_id.company_id", "in", self.env.user.company_ids.ids
        )
        domain &= Domain("state", "not in", ["sending", "doubt"])
        mails = self.sudo().search(domain & Domain("email_id", "=", False))

        def is_theirs(mail):
            people = mail.recipient_ids
            record = mail.partner_id | mail.lead_id.partner_id
            if not people:
                return record <= partners
            others = people.filtered(lambda one: normalise(one.address) not in own)
            written = {normalise(address) for address in others.mapped("address")}
            return (
                bool(others)
                and written <= set(addresses)
                and others.partner_id <= partners
                # (written from one's company it is to nobody else)
                and record <= partners | partners.commercial_partner_id
            )

        return mails.filtered(is_theirs)

    def _forget_unsent(self):
        """Have nothing of these mails leave any more, and delete them."""
        self._lock()
        self._end_notice()
        self.filtered(
            lambda mail: mail.state in ("draft", "queued", "refused")
        )._mark_cancelled()
        # (of these a draft is still to be taken out of the mailbox)
        left = self.filtered("clear_at")
        left.attachment_ids.filtered(left._owns).unlink()
        left.recipient_ids.unlink()
        left.write({"subject": False, "body": False, "quoted_html": False})
        (self - left).unlink()

    @api.model
    def _fold(self, records, into):
        """Let mails written from merged records be of the one that stays."""
        owner = self.env["easycrm.email.address"]._get_owner_field(into._name)
        self.search([(owner, "in", records.ids)])[owner] = into


class EasycrmEmail(models.Model):
    """An email that is deleted for good takes along what it was written as."""

    _inherit = "easycrm.email"

    def _delete_for_good(self):
        mails = self.env["easycrm.email.outgoing"].sudo()
        written = mails.search([("email_id", "in", self.ids)])
        result = super()._delete_for_good()
        written.unlink()
        return result
