"""The Send Email window as its users open and fill it, for tests of it."""

from .common import MailCase


class ComposeCase(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mailbox.smtp_host = "smtp.ours.example"
        cls.lead = cls.add_lead("40 chairs", cls.mira, "anna@acme.example")

    def open(self, user=None, **context):
        """Open a window as the browser does; return what it shows."""
        user = user or self.mira
        self.env.flush_all()
        compose = self.env["easycrm.email.compose"].with_user(user)
        return compose.with_context(**context).easycrm_open()

    def open_for(self, records, user=None):
        return self.open(user, active_model=records._name, active_ids=records.ids)

    def get_window(self, window, user=None):
        return (
            self.env["easycrm.email.compose"]
            .with_user(user or self.mira)
            .browse(window["id"])
        )

    def get_outgoing(self, sent):
        return self.env["easycrm.email.outgoing"].browse(sent["ids"])

    def add_template(self, body, subject="Offer", **values):
        return self.env["mail.template"].create(
            {
                "name": "Offer",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": subject,
                "body_html": body,
                **values,
            }
        )
