import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_datetime

from ..esp import Bulk, EspError, Recipient

#: Seconds that each of the calls of a button may take.
BUTTON_TIMEOUT = 5

#: A sender that has reported nothing at all for so long does not report to us.
UNHEARD_MINUTES = 30


class EasycrmEsp(models.Model):
    """Whether a bulk sender works, in words."""

    _inherit = "easycrm.esp"

    health = fields.Char(compute="_compute_health")

    @api.depends_context("lang", "tz")
    @api.depends("domain", "region", "last_event_at", "api_secret", "webhook_secret")
    def _compute_health(self):
        regions = dict(self._fields["region"]._description_selection(self.env))
        for esp in self:
            parts = [esp.domain, regions.get(esp.region), esp._get_event_words()]
            esp.health = ", ".join(part for part in parts if part)

    def _get_event_words(self):
        """Return when the sender has reported last, or what it lacks for that."""
        if not self.has_api_key:
            return self.env._("no API key")
        if not self.has_webhook_key:
            return self.env._("no webhook key: nothing that it reports is taken")
        if not self.last_event_at:
            if self._is_unheard():
                return self.env._(
                    "nothing reported of what was sent: is its webhook set up?"
                )
            return self.env._("no event yet")
        seconds = (fields.Datetime.now() - self.last_event_at).total_seconds()
        if seconds < 60:
            return self.env._("last event %s s ago", max(int(seconds), 0))
        if seconds < 3600:
            return self.env._("last event %s min ago", int(seconds / 60))
        if seconds < 24 * 3600:
            return self.env._("last event %s h ago", int(seconds / 3600))
        return self.env._(
            "last event on %s",
            format_datetime(self.env, self.last_event_at, dt_format="short"),
        )

    def _is_unheard(self):
        """Return whether it has been sent through for longer than any report takes."""
        before = fields.Datetime.now() - timedelta(minutes=UNHEARD_MINUTES)
        Batch = self.env["easycrm.esp.batch"].sudo()
        own = [("esp_id", "=", self.id), ("handed_at", "<", before)]
        return bool(Batch.search_count(own, limit=1))

    def action_test(self):
        """Ask the sender whether its key may send, and send a mail to oneself.

        :return: the action that says how it went, in plain words
        :raise UserError: something is not filled in
        """
        self.ensure_one()
        self.check_access("write")
        bulk = self._make_test_bulk()
        esp = self._make_esp(BUTTON_TIMEOUT)
        Account = self.env["easycrm.email.account"]
        Account._release_transaction()
        try:
            esp.check()
            esp.send(bulk)
        except EspError as error:
            return Account._show_result(
                "danger",
                self._explain_error(error),
                title=self.env._("%s does not work", self.name),
                sticky=True,
            )
        finally:
            esp.close()
        return Account._show_result(
            "success",
            self.env._(
                "%(name)s has taken a test email for %(address)s.",
                name=self.name,
                address=bulk.recipients[0].address,
            ),
        )

    def _make_test_bulk(self):
        user = self.env.user
        if not user.email_normalized:
            raise UserError(
                self.env._("You have no email address. Enter it in your preferences.")
            )
        subject = self.env._("Test of %s", self.name)
        text = self.env._("This email came through %s. Sending works.", self.name)
        return Bulk(
            key=str(uuid.uuid4()),
            sender=(user.name, self._get_test_sender()),
            subject=[subject],
            html=[f"<p>{text}</p>"],
            text=[text],
            recipients=[Recipient(user.email_normalized, "test", user.name)],
        )

    def _get_test_sender(self):
        """Return an address that the sender may write from: of its domain, if any."""
        user = self.env.user
        local, _at, domain = user.email_normalized.rpartition("@")
        if self.domain and not f".{self.domain}".endswith(f".{domain}"):
            return f"{local}@{self.domain}"
        return user.email_normalized

    def _explain_error(self, error):
        """Put an error of a bulk sender into plain words.

        :param EspError error:
        """
        self.ensure_one()
        words = self._get_error_words().get(error.code)
        if words and error.detail and error.code in {"sender", "mail", "recipients"}:
            return f"{words} {self.env._('It says: %s', error.detail)}"
        return words or error.detail or error.code

    def _get_error_words(self):
        env, values = self.env, {"name": self.name, "domain": self.domain or ""}
        return {
            "host": env._("%(name)s was not found. Is the server online?", **values),
            "refused": env._("%(name)s does not answer.", **values),
            "busy": env._("%(name)s asks to come back later.", **values),
            "trouble": env._("%(name)s has trouble of its own.", **values),
            "timeout": env._("%(name)s did not answer in time.", **values),
            "dropped": env._("%(name)s broke off the connection.", **values),
            "answer": env._("%(name)s gave an answer that says nothing.", **values),
            "key": env._(
                "%(name)s does not know this API key. Was it made in the same region?",
                **values,
            ),
            "scope": env._(
                "This API key may not send. Give it the permission “Mail Send”.",
                **values,
            ),
            "lists": env._(
                "This API key may not read the suppressions. Give it “Suppressions”, "
                "Read Access."
            ),
            "domain": env._(
                "%(name)s does not send for %(domain)s. Verify the domain there. Is it "
                "in the same region?",
                **values,
            ),
            "sender": env._(
                "%(name)s does not know the sender address. Verify it there.", **values
            ),
            "plan": env._(
                "%(name)s has suspended the account, or its plan is used up.", **values
            ),
            "certificate": env._(
                "The certificate of %(name)s cannot be trusted.", **values
            ),
            "setting": env._("Region or domain of %(name)s is wrong.", **values),
            "size": env._("The mail is too large for %(name)s.", **values),
            "mail": env._("%(name)s does not take this mail.", **values),
            "recipients": env._(
                "%(name)s does not take an address of the recipients.", **values
            ),
        }
