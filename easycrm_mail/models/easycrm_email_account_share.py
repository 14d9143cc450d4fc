from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .access import SHARE_LEVELS
from .easycrm_email_account import SHARED


class EasycrmEmailAccount(models.Model):
    """What colleagues see of a mailbox's linked mail, and what they may see at most.

    The administrator's limit rewrites no mailbox: one that shares more is treated as
    if it shared that much (see `access.reaching`), and shares what its owner
    chose as soon as the limit is raised again.
    """

    _inherit = "easycrm.email.account"

    share_limit = fields.Selection(
        SHARED,
        compute="_compute_share_limit",
        help="What the administrator lets mailboxes share at most.",
    )
    share_notice = fields.Char(compute="_compute_share_limit")

    def unlink(self):
        kept = (
            self.env["easycrm.email.thread"]
            .sudo()
            .search([("keeper_ids", "in", self.ids)])
        )
        result = super().unlink()
        # of what it kept private there is nothing left but what others have
        kept.exists()._follow_keepers()
        return result

    @api.depends_context("lang")
    @api.depends("share_level")
    def _compute_share_limit(self):
        limit = self._get_share_limit()
        words = self._get_share_words()
        for account in self:
            account.share_limit = limit
            if self._is_over_share_limit(account.share_level):
                account.share_notice = self.env._(
                    "Your administrator lets mailboxes share at most “%s”: that is "
                    "what colleagues see of this one.",
                    words[limit],
                )
            elif limit != SHARE_LEVELS[-1]:
                account.share_notice = self._get_share_limit_words()
            else:
                account.share_notice = False

    @api.constrains("share_level")
    def _check_share_level(self):
        for account in self:
            if self._is_over_share_limit(account.share_level):
                raise ValidationError(self._get_share_limit_words())

    @api.model
    def _get_share_limit_words(self):
        return self.env._(
            "Your administrator lets mailboxes share at most “%s”.",
            self._get_share_words()[self._get_share_limit()],
        )

    @api.model
    def _get_share_words(self):
        """Return {share level: what it is called}."""
        return dict(self._fields["share_level"]._description_selection(self.env))

    @api.model
    def _get_share_limit(self):
        """Return the share level that no mailbox goes beyond."""
        return self._read_share_param("share_limit")

    @api.model
    def _get_share_default(self):
        """Return the share level that a new mailbox begins with."""
        return min(
            self._read_share_param("share_default"),
            self._get_share_limit(),
            key=SHARE_LEVELS.index,
        )

    @api.model
    def _read_share_param(self, name):
        """Return a share level of the system parameters; unset, it is the most.

        What somebody has written there that is no level is the least.
        """
        params = self.env["ir.config_parameter"].sudo()
        level = params.get_param(f"easycrm_mail.{name}") or SHARE_LEVELS[-1]
        return level if level in SHARE_LEVELS else SHARE_LEVELS[0]

    @api.model
    def _is_over_share_limit(self, level):
        limit = SHARE_LEVELS.index(self._get_share_limit())
        return level not in ("", False, *SHARE_LEVELS[: limit + 1])
