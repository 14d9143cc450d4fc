from odoo import api, models
from odoo.tools import email_split
from odoo.tools.mail import unfold_references

#: Of the mails that an answer refers to, so many are looked up, the last ones; as Odoo.
MAX_REFERENCES = 32


class MailThread(models.AbstractModel):
    """Answers to mailings that went through a bulk sender, where followers get them.

    Odoo brings an answer to its record by the message that is answered. Here there is
    none: what knows of the mail is the recipient's trace.
    """

    _inherit = "mail.thread"

    # (only the gateway calls it: from outside it would tell of a recipient's record)
    @api.private
    @api.model
    def message_route(
        self, message, message_dict, model=None, thread_id=None, custom_values=None
    ):
        if not message_dict.get("is_bounce"):
            route = self._easycrm_route_answer(message, message_dict, custom_values)
            if route:
                self._routing_reset_bounce(message, message_dict)
                return [route]
            if route is False:  # (whoever wrote it may not; he was told so)
                return []
        return super().message_route(
            message,
            message_dict,
            model=model,
            thread_id=thread_id,
            custom_values=custom_values,
        )

    @api.model
    def _easycrm_route_answer(self, message, message_dict, custom_values):
        """Return where an answer to a mailing goes, as Odoo does for its own messages.

        :return: a route; None: nowhere by this; False: nowhere at all
        """
        trace = self._easycrm_find_answered(message_dict)
        # (of what is deleted Odoo has no message any more, either)
        if not trace or not self.env[trace.model].sudo().browse(trace.res_id).exists():
            return None
        written_to = self._easycrm_find_aliases(message_dict["to"])
        own = self.env["ir.model"]._get(trace.model)
        if written_to.filtered(lambda alias: alias.alias_model_id != own):
            return None  # (it was forwarded there: Odoo makes something new of it)
        alias = self._easycrm_find_aliases(message_dict["recipients"]).filtered(
            lambda alias: alias.alias_model_id == own
        )[:1]
        sender = message_dict["email_from"]
        user = self._mail_find_user_for_gateway(sender, alias=alias)
        route = (
            trace.model,
            trace.res_id,
            custom_values,
            user.id or self.env.uid,
            alias,
        )
        checked = self._routing_check_route(
            message, message_dict, route, raise_exception=False
        )
        return None if checked == () else checked

    @api.model
    def _easycrm_find_answered(self, message_dict):
        """Return the recipient's trace that a mail answers, if nothing else is known.

        :return: a `mailing.trace`, or none
        """
        references = message_dict["references"] or message_dict["in_reply_to"]
        # (a mark of Odoo's: what answers to it goes to an address, and to no record)
        ids = [ref.strip() for ref in unfold_references(references)]
        ids = [ref for ref in ids if "reply_to" not in ref][-MAX_REFERENCES:]
        traces = self.env["mailing.trace"].sudo()
        if not ids:
            return traces
        domain = [
            ("message_id", "in", ids),
            ("easycrm_esp_id", "!=", False),
            ("res_id", "!=", False),
            ("mass_mailing_id.reply_to_mode", "=", "update"),
        ]
        trace = traces.search(domain, order="id desc", limit=1)
        known = [("message_id", "in", ids)]
        if trace and self.env["mail.message"].sudo().search_count(known, limit=1):
            return traces
        return trace

    @api.model
    def _easycrm_find_aliases(self, addresses):
        """Return the aliases that stand in a header of recipients."""
        emails = [email.lower() for email in email_split(addresses)]
        parameters = self.env["ir.config_parameter"].sudo()
        allowed = parameters.get_param("mail.catchall.domain.allowed") or ""
        allowed = [domain for domain in allowed.split(",") if domain]
        if allowed:
            domains = [email.rpartition("@")[2] for email in emails]
            own = self.env["mail.alias.domain"].search([("name", "in", domains)])
            allowed += own.mapped("name")
        locals_ = [
            name
            for name, _at, domain in (email.partition("@") for email in emails)
            if name and domain and (not allowed or domain in allowed)
        ]
        return self.env["mail.alias"].search(
            [
                "|",
                ("alias_full_name", "in", emails),
                *("&", ("alias_name", "in", locals_)),
                ("alias_incoming_local", "=", True),
            ]
        )
