"""A contact, lead or opportunity as a card: what a mail can be dropped on."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .timeline_filters import clean

#: Which kinds come first among those that fit alike.
KINDS = ["opportunity", "lead", "contact", "company"]

#: Records of a model that are looked at for one search.
LOOKED_AT = 40

#: Cards that are given in one answer at most, and characters that are searched for.
MAX_CARDS, MAX_ASKED = 50, 500


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def find_records(self, words, limit=10):
        """Search contacts, leads and opportunities as one.

        :param str words: each must stand in the name, the address or the company
        :return: list of cards, the best first, see `_get_cards`
        """
        self.browse().check_access("read")
        terms = clean((words or "")[:MAX_ASKED]).lower().split()[:8]
        if not terms:
            return []
        partners = self._find_by_words(
            "res.partner", ["complete_name", "email", "phone"], terms
        )
        leads = self._find_by_words(
            "crm.lead",
            ["name", "contact_name", "partner_name", "email_from", "phone"],
            terms,
        )
        text = " ".join(terms)

        def get_rank(record):
            name = (record.display_name or "").lower()
            return (
                not name.startswith(text),
                not all(term in name for term in terms),
                KINDS.index(self._get_kind(record)),
                len(name),
                record.id,
            )

        records = sorted([*partners, *leads], key=get_rank)
        return self._get_cards(records[: max(min(int(limit), MAX_CARDS), 0)])

    @api.model
    def _find_by_words(self, model, names, terms):
        """Return records in which each of these words stands, as the user sees them."""
        Model = self.env[model]
        if not Model.has_access("read"):
            return Model
        domain = Domain.AND(
            Domain.OR(Domain(name, "ilike", term) for name in names) for term in terms
        )
        return Model.search(domain, limit=LOOKED_AT)

    @api.model
    def _get_kind(self, record):
        """Return `contact`, `company`, `lead` or `opportunity`."""
        if record._name == "crm.lead":
            return record.type
        return "company" if record.is_company else "contact"

    @api.model
    def _get_cards(self, records, reasons=None):
        """Return what the screen shows of these records.

        :param records: that the user may read
        :param dict reasons: {record: [why it is suggested, in words]}
        :return: list of {"model", "id", "kind", "name", "detail", "avatar", "reasons"}
        """
        return [
            {
                "model": record._name,
                "id": record.id,
                "kind": self._get_kind(record),
                "name": record.display_name
                if record._name == "crm.lead"
                else record.name or record.display_name,
                "detail": self._get_detail(record),
                "avatar": f"/web/image/res.partner/{record.id}/avatar_128"
                if record._name == "res.partner"
                else None,
                "reasons": (reasons or {}).get(record, []),
            }
            for record in records
        ]

    @api.model
    def _get_detail(self, record):
        if record._name == "res.partner":
            company = record.commercial_company_name
            parts = [company if company != record.name else "", record.email]
        else:
            parts = [
                record.stage_id.display_name if record.type == "opportunity" else "",
                record.partner_name or record.contact_name or record.email_from,
            ]
        return " · ".join(part for part in parts if part)

    @api.model
    def _get_recent_sql(self, limit):
        """Return the query of what the user has linked mail to lately, newest first.

        :return: SELECT 'recent', contact, lead, 0, NULL
        """
        return SQL(
            """
            SELECT 'recent', partner_id, lead_id, 0, NULL FROM (
                SELECT id, partner_id, lead_id FROM easycrm_email_batch
                WHERE create_uid = %s AND kind = 'link' AND undone_at IS NULL
                ORDER BY id DESC LIMIT 200
            ) AS step
            WHERE num_nonnulls(partner_id, lead_id) = 1
            GROUP BY partner_id, lead_id ORDER BY max(id) DESC LIMIT %s
            """,
            self.env.uid,
            4 * limit,
        )
