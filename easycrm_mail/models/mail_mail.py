from email.utils import parseaddr

from odoo import models
from odoo.exceptions import UserError

from ..esp import Bulk, EspError, File, Recipient
from .easycrm_esp_check import BUTTON_TIMEOUT


class MailMail(models.Model):
    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Test mails of a mailing go through its bulk sender, as the mailing will."""
        tests = self.browse()
        if self.env.context.get("mailing_test_mail"):
            tests = self.filtered("mailing_id.easycrm_esp_id")
        for mail in tests:
            mail._easycrm_send_test()
        return super(MailMail, self - tests).send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )

    def _easycrm_send_test(self):
        """Hand a mail over; its state says how that went, as with Odoo's own server."""
        esp = self.mailing_id.easycrm_esp_id
        # (nobody else sends it meanwhile)
        self.write({"state": "exception", "failure_reason": False})
        try:
            # (mailings belong to no company: whoever tests one must see its sender)
            esp.with_user(self.env.uid).check_access("read")
            bulks = self._easycrm_make_bulks()
            sender = esp._make_esp(BUTTON_TIMEOUT)
        except UserError as error:
            self.failure_reason = str(error)
            return
        self.env["easycrm.email.account"]._release_transaction()
        try:
            for bulk in bulks:
                sender.send(bulk)
        except EspError as error:
            self.failure_reason = esp._explain_error(error)
        else:
            self.state = "sent"
        finally:
            sender.close()

    def _easycrm_make_bulks(self):
        """Return an `esp.Bulk` for each of its recipients: events are about nobody."""
        return [
            Bulk(
                key=f"test-{self.id}",
                sender=parseaddr(sent["email_from"]),
                reply_to=parseaddr(sent["reply_to"]) if sent["reply_to"] else None,
                subject=[sent["subject"]],
                html=[str(sent["body"])],
                text=[sent["body_alternative"]],
                recipients=[
                    Recipient(address, "test")
                    for address in sent["email_to_normalized"]
                ],
                files=[
                    File(name, mimetype, raw)
                    for name, raw, mimetype in sent["attachments"]
                ],
            )
            for sent in self._prepare_outgoing_list()
        ]
