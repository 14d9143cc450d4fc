from odoo import fields, models
from odoo.fields import Domain

from . import easycrm_email_timeline

#: The newest emails that tell which failing mailboxes a timeline would get mail from.
CONCERNED = 200


class EasycrmEmailTimeline(models.AbstractModel):
    """What stands above the emails of a timeline, or in their place."""

    _inherit = "easycrm.email.timeline"

    def _easycrm_get_header(self, links, page, counts, found, campaigns):
        """Return what the first page has beside its emails.

        :param SQL links: see `_easycrm_get_visible_links`
        :param tuple counts: emails and their conversations
        :param dict found: what `_easycrm_find` found, of a filtered timeline
        :param Campaigns campaigns: those that fit are counted as emails there
        """
        limit = easycrm_email_timeline.COUNT_LIMIT
        if found:
            found = {
                "emails": found["emails"] + campaigns.fitting,
                "conversations": found["conversations"] + campaigns.fitting,
                "looked_at": found["looked_at"] + campaigns.count,
                "complete": found["complete"] and campaigns.count <= limit,
            }
            counts = found["emails"], found["conversations"]
        count, conversations = counts
        mine, failing = self._easycrm_get_accounts()
        reading = mine.filtered(lambda account: account.sync_stage != "idle")
        progress = {
            "done": sum(reading.mapped("sync_done")),
            "total": sum(reading.mapped("sync_total")),
        }
        if progress["done"] >= progress["total"]:
            progress = False
        return {
            "count": min(count, limit),
            "count_capped": count > limit or bool(found and not found["complete"]),
            "conversation_count": conversations,
            "campaign_count": min(campaigns.count, limit),
            "looked_at": found["looked_at"] if found else count,
            "empty": self._easycrm_get_empty(page, found, mine, progress),
            # (what fits on one page may become empty on the screen)
            "empty_detail": not page["next"] and self._easycrm_get_empty_detail(mine),
            "progress": progress,
            "notices": self._easycrm_get_notices(links, mine, failing),
        }

    def _easycrm_get_accounts(self):
        """Return the user's own mailboxes, and all that fail, of his companies."""
        Account = self.env["easycrm.email.account"]
        own_ids = Account._get_own_account_ids()
        accounts = Account.sudo().search_fetch(
            Domain("company_id", "in", self.env.companies.ids)
            & (Domain("id", "in", own_ids) | Domain("sync_status", "=", "error")),
            ["sync_status", "sync_stage", "sync_done", "sync_total"],
        )
        mine = accounts.filtered(
            lambda account: account.id in own_ids and account.sync_status != "draft"
        )
        return mine, accounts.filtered(lambda a: a.sync_status == "error")

    def _easycrm_get_empty(self, page, found, mine, progress):
        """Say which empty timeline this is: the client never guesses."""
        if page["conversations"] or page["next"]:
            return False
        if found and found["looked_at"]:
            return "filtered"
        if not self._easycrm_get_addresses() and not self._easycrm_has_people():
            return "no_address"
        if not mine:
            return "connect"
        return "first_sync" if progress else "nothing"

    def _easycrm_get_empty_detail(self, mine):
        """Return what is told about an empty timeline."""
        since = min(mine.mapped("sync_from"), default=False)
        return {
            "addresses": self._easycrm_get_addresses(),
            "mailboxes": len(mine),
            "since": fields.Date.to_string(since),
            "left": not mine and self.env["easycrm.email.account"]._tell_left(),
        }

    def _easycrm_has_people(self):
        """Tell whether the timeline shows mail of others who have an address."""
        return False

    def _easycrm_get_notices(self, links, mine, failing):
        """Return the failing mailboxes that this user should know of, here."""
        others = self._easycrm_get_holders(links, failing - mine)
        return [
            account._get_notice(account in mine) for account in failing & mine | others
        ]

    def _easycrm_get_holders(self, links, accounts):
        """Return those of the mailboxes that hold some of the newest emails here."""
        if not accounts:
            return accounts
        rows = self.env.execute_query(self._easycrm_select_newest(links, CONCERNED))
        copies = self.env["easycrm.email.copy"].sudo()
        groups = copies._read_group(
            Domain("email_id", "in", [email_id for _date, email_id, _thread in rows])
            & Domain("account_id", "in", accounts.ids),
            ["account_id"],
        )
        return accounts.browse([account.id for (account,) in groups])

    def _easycrm_get_addresses(self):
        """Return the addresses that find mail for this record."""
        Address = self.env["easycrm.email.address"].sudo()
        owner = Address._get_owner_field(self._name)
        rows = Address.search_fetch([(owner, "=", self.id)], ["address"], order="id")
        return rows.mapped("address")
