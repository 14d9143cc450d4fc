"""Bulk senders, what went out by them, and what they report of it, for tests."""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import HttpCase

from ..easycrm_mail.esp import Event
from .servers.bulk import Delivered
from .servers.mailgun import MailgunServer
from .servers.sendgrid import SendGridServer


class EspFixtures:
    """A sender of each kind, and a mailing that went to some people."""

    def make_esp(self, provider="sendgrid", **values):
        return self.env["easycrm.esp"].create(
            {
                "provider": provider,
                "domain": "mg.example.com",
                "api_key": "secret",
                "webhook_key": "key",
                **values,
            }
        )

    def make_mailing(self, esp, count=3, lists=0):
        model = "mailing.contact" if lists else "res.partner"
        contacts = self.env[model].create(
            [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(count)]
        )
        values = {
            "subject": "Spring offer",
            "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
            "body_html": "<p>Hello</p>",
        }
        if lists:
            self.list = self.env["mailing.list"].create(
                {"name": "News", "contact_ids": [Command.set(contacts.ids)]}
            )
            values["mailing_model_id"] = self.env["ir.model"]._get_id("mailing.list")
            values["contact_list_ids"] = [Command.set(self.list.ids)]
            self.env.invalidate_all()  # (a subscription is nothing that a list creates)
        mailing = self.env["mailing.mailing"].create(values)
        self.batch = self.env["easycrm.esp.batch"].create(
            {
                "esp_id": esp.id,
                "mailing_id": mailing.id,
                "key": f"batch-{mailing.id}",
                "state": "handed_over",
                "handed_at": fields.Datetime.now(),
            }
        )
        return self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": model,
                    "res_id": contact.id,
                    "email": contact.email,
                    "trace_status": "process",
                    "easycrm_batch_id": self.batch.id,
                    "easycrm_esp_id": esp.id,
                }
                for contact in contacts
            ]
        )

    def event(self, trace, kind, seconds=0, **values):
        """An event of a trace, that many seconds after the mailing."""
        at = self.start + timedelta(seconds=seconds)
        key = f"{trace.id}:{kind.value}:{seconds}:{sorted(map(str, values.items()))}"
        return Event(
            key=key,
            kind=kind,
            at=at,
            address=trace.email,
            recipient=str(trace.id),
            batch=trace.easycrm_batch_id.key,
            **values,
        )

    @property
    def start(self):
        return fields.Datetime.now().replace(hour=9, minute=0, second=0)

    def store(self, *events, token=""):
        return self.env["easycrm.esp.event"]._store(self.esp, list(events), token)

    def apply(self):
        while self.env["easycrm.esp.event"]._apply_page():
            pass

    def tell(self, *events):
        self.store(*events)
        self.apply()


class WebhookCase(EspFixtures, HttpCase):
    """What calls our webhook as a bulk sender does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sendgrid = cls.enterClassContext(SendGridServer())
        cls.mailgun = cls.enterClassContext(MailgunServer())

    def setUp(self):
        super().setUp()
        self.esp = self.make_esp(webhook_key=self.sendgrid.verification_key)
        self.traces = self.make_mailing(self.esp)
        self.trace = self.traces[0]
        self.mail = self.delivered(self.trace)

    def delivered(self, trace):
        custom = {
            "easycrm_key": str(trace.id),
            "easycrm_batch": trace.easycrm_batch_id.key,
        }
        return Delivered(trace.id, trace.email, "", "", "", {}, custom)

    def path(self, esp):
        return f"/easycrm_mail/webhook/{esp.provider}/{esp.webhook_token}"

    def call(self, body, headers=None, esp=None, kind="application/json"):
        headers = {"Content-Type": kind, **(headers or {})}
        path = self.path(esp or self.esp)
        return self.url_open(path, data=body, headers=headers).status_code
