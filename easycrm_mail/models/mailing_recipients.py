from odoo import models
from odoo.fields import Domain

#: Whom a number of the results counts.
GOT_IT = Domain("easycrm_delivered_at", "!=", False) | Domain(
    "trace_status", "in", ["open", "reply"]
)
BOUNCED = Domain("trace_status", "=", "bounce")
RECIPIENTS = {
    "all": Domain("trace_status", "!=", "cancel"),
    "sent": Domain("sent_datetime", "!=", False),
    "delivered": GOT_IT,
    "opened": Domain("trace_status", "in", ["open", "reply"]),
    "machine": Domain("easycrm_machine_open_count", ">", 0),
    "clicked": Domain("easycrm_click_count", ">", 0),
    "replied": Domain("trace_status", "=", "reply"),
    "deferred": Domain("trace_status", "=", "pending")
    & Domain("easycrm_deferred_at", "!=", False),
    "bounced": BOUNCED,
    "bounced_hard": BOUNCED & Domain("easycrm_bounce_kind", "=", "hard"),
    "unsubscribed": Domain("easycrm_unsubscribed_at", "!=", False),
    "complained": Domain("easycrm_complained_at", "!=", False),
    "left_out": Domain("trace_status", "=", "cancel"),
    "failed": Domain("trace_status", "=", "error"),
}

_FULL = Domain.OR(
    Domain("failure_reason", "ilike", word)
    for word in ("full", "quota", "out of storage", "5.2.2", "4.2.2")
)
_BLOCKED = Domain("easycrm_bounce_kind", "=", "blocked")
_HARD = Domain("easycrm_bounce_kind", "=", "hard")

#: What the list of recipients shows of them: no columns that are empty for all.
SIDES = {
    **dict.fromkeys(("delivered", "opened", "machine"), "arrived"),
    **dict.fromkeys(("clicked", "link", "replied"), "arrived"),
    **dict.fromkeys(("bounced", "bounced_hard", "bounce"), "bounced"),
    **dict.fromkeys(("unsubscribed", "complained"), "leaving"),
    **dict.fromkeys(("left_out", "failed"), "unsent"),
    **{kind: kind for kind in ("deferred", "unconfirmed")},
}

#: Why mails came back, each under one reason only.
BOUNCES = {
    "unknown": BOUNCED & ~_BLOCKED & ~_FULL & _HARD,
    "full": BOUNCED & ~_BLOCKED & _FULL,
    "blocked": BOUNCED & _BLOCKED,
    "other": BOUNCED & ~_BLOCKED & ~_FULL & ~_HARD,
}


class MailingMailing(models.Model):
    """Every number of a mailing opens the recipients that it counts."""

    _inherit = "mailing.mailing"

    def action_easycrm_view_recipients(self, kind="all", value=None, name=None):
        """Open the recipients behind a number.

        :param str kind: of `RECIPIENTS`; or `left_out`, `failed`, `bounce`, `domain`,
            `link`, `sender`, `unconfirmed` with a value
        :param value: which of them
        :param str name: what the number is called
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "easycrm_mail.mailing_trace_action"
        )
        domain = Domain("mass_mailing_id", "=", self.id)
        domain &= self._easycrm_get_recipients(kind, value)
        if name and value is not None and kind == "left_out":
            name = self.env._("Left out: %s", name)
        elif name and value is not None and kind == "failed":
            name = self.env._("Not taken: %s", name)
        name = name or self.env._("Recipients")
        return {
            **action,
            "name": name,
            "display_name": name,
            "domain": list(domain),
            "context": {"easycrm_side": SIDES.get(kind)},
        }

    def action_easycrm_view_left_out(self):
        """Open who was left out."""
        name = self.env._("Left out")
        return self.action_easycrm_view_recipients("left_out", name=name)

    def _easycrm_get_recipients(self, kind, value=None):
        """Return the domain of those whom a number counts, within the mailing."""
        if kind == "unconfirmed":
            batches = self._easycrm_get_unconfirmed()
            return Domain("easycrm_batch_id", "in", batches.ids) & Domain(
                "trace_status", "=", "process"
            )
        if value is None:
            return RECIPIENTS[kind]
        if kind in ("left_out", "failed"):
            return RECIPIENTS[kind] & Domain("failure_type", "=", value or False)
        if kind == "bounce":
            return BOUNCES[value]
        if kind == "link":
            return Domain("links_click_ids.link_id", "=", value)
        if kind == "sender":
            return RECIPIENTS["sent"] & Domain("easycrm_esp_id", "=", value)
        return RECIPIENTS["sent"] & self._easycrm_get_of_domain(value)

    @staticmethod
    def _easycrm_get_of_domain(value):
        """Return who is of a mail domain, or, of a list of them, who is of none."""
        is_rest = isinstance(value, list)
        of_them = Domain.OR(
            Domain("email", "=like", f"%@{_escape(name)}")
            for name in (value if is_rest else [value])
        )
        return ~of_them if is_rest else of_them


def _escape(text):
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
