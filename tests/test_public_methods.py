"""What RPC reaches of ours, and that it tells nothing to who may not know it."""

from inspect import isfunction

from odoo import models
from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import tagged

from .common import MailCase
from .public_methods import HARMLESS, PUBLIC


@tagged("post_install", "-at_install")
class TestPublicMethods(MailCase):
    maxDiff = None

    def test_no_method_is_public_but_those_that_are_tried_here(self):
        found = {}
        for name, model in self.env.items():
            names = {
                method
                for cls in type(model).mro()
                if cls.__module__.startswith("odoo.addons.easycrm_mail.")
                for method, value in vars(cls).items()
                if not method.startswith("_") and isfunction(value)
                if not hasattr(models.BaseModel, method)
                and self.is_public(model, method)
            }
            names -= HARMLESS.get(name, set())
            if names and not model._abstract:
                found[name] = names
        self.assertEqual(found, PUBLIC)

    @staticmethod
    def is_public(model, method):
        try:
            return get_public_method(model, method)
        except AccessError:
            return False

    def make_campaign(self):
        """A mailing through a bulk sender: for who has the rights of mailings."""
        esp = self.env["easycrm.esp"].create({"provider": "sendgrid"})
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Spring",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "easycrm_esp_id": esp.id,
            }
        )
        self.env["easycrm.esp.batch"].create(
            {"esp_id": esp.id, "mailing_id": mailing.id, "key": "k", "state": "doubt"}
        )
        mail = self.env["mail.mail"].create({"email_to": "anna@acme.example"})
        return {
            "mail.mail": mail,
            "easycrm.esp": esp,
            "mailing.mailing": mailing,
        }

    def test_no_public_method_leaks(self):
        email = self.receive(
            self.mailbox,
            sender="doctor@private.example",
            attachments=[("a.txt", "text/plain", b"x")],
        )
        link = self.env["easycrm.email.link"].create(
            {"email_id": email.id, "lead_id": self.add_lead("Deal", self.mira).id}
        )
        failure = self.set_aside(self.mailbox)
        Erase = self.env["easycrm.email.erase"]
        HandOver = self.env["easycrm.email.hand.over"]
        Bounce = self.env["easycrm.email.bounce"]
        Outgoing = self.env["easycrm.email.outgoing"]
        records = {
            "crm.lead": link.lead_id,
            "easycrm.email.bounce": Bounce.create(
                {
                    "email_id": email.id,
                    "address": "doctor@private.example",
                    "kind": "hard",
                    "at": email.date,
                }
            ),
            "easycrm.email.outgoing": Outgoing.create(
                {"account_id": self.mailbox.id, "user_id": self.mira.id}
            ),
            "easycrm.email": email,
            "easycrm.email.account": self.mailbox,
            "easycrm.email.erase": Erase.create({"partner_ids": self.bruno.ids}),
            "easycrm.email.failure": failure,
            "easycrm.email.hand.over": HandOver.create({"account_id": self.mailbox.id}),
            "easycrm.email.link": link,
            "easycrm.email.thread": email.thread_id,
        }
        env = self.as_user(link, self.mira).env
        rule = env["easycrm.email.rule"].create({"pattern": "private.example"})
        for name, values in (
            ("easycrm.email.rule.add", {"pattern": "other.example"}),
            ("easycrm.email.rule.remove", {"rule_id": rule.id}),
        ):
            records[name] = env[name].create(values)
        records["easycrm.email.rule"] = rule
        records["easycrm.email.compose"] = (
            env["easycrm.email.compose"]
            .with_context(active_model="crm.lead", active_id=link.lead_id.id)
            .create({})
        )
        records |= self.make_campaign()
        arguments = {
            "connect_leave": ("look", {}),
            "connect_look": ("INBOX", "2026-11-01", "2026-11-30 00:00:00"),
            "connect_save": ({"smtp_host": "evil.example"},),
            "connect_sign_in": ("/odoo",),
            "connect_start": ({"folders": ["INBOX"]},),
            "connect_test": ("sending",),
            "easycrm_planned": ("crm.lead", link.lead_id.id),
            "easycrm_only_here": (email.thread_id.id,),
            "easycrm_undo_only_here": (email.thread_id.id,),
            "easycrm_why": ("crm.lead", link.lead_id.id),
        }
        arguments |= {
            "action_easycrm_view_recipients": ("opened", False, "Opened"),
            "action_easycrm_go_on_through": (records["easycrm.esp"].id,),
            "easycrm_action_reply": ("reply", "crm.lead", link.lead_id.id),
            "easycrm_save": ({},),
            "easycrm_save_template": ("Mine", {}),
            "easycrm_send": ({},),
            "easycrm_take_documents": ([1],),
            "easycrm_take_files": (email.attachment_line_ids.ids,),
            "easycrm_undo": (records["easycrm.email.outgoing"].ids,),
            "easycrm_use_template": (1,),
        }
        for user in (self.jonas, self.ingrid, self.bea, self.portal, self.public):
            for name, record in records.items():
                for method in PUBLIC[name]:
                    with self.subTest(method=f"{name}.{method}", user=user.login):
                        call = getattr(self.as_user(record, user), method)
                        with self.assertRaises(AccessError):
                            call(*arguments.get(method, ()))
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.as_user(self.anna, user).easycrm_timeline()
        # Jonas may read the contact: he gets its timeline, without what is not for him
        self.link_privately(email)
        self.assertTimeline(self.anna, [], self.jonas)
        timeline = self.as_user(self.anna, self.jonas).easycrm_timeline(
            thread_id=email.thread_id.id
        )
        self.assertEqual(timeline["conversations"], [])
        people = self.as_user(self.anna, self.jonas).easycrm_people()
        self.assertEqual(people, [])

    def test_no_method_of_unlinked_emails_leaks(self):
        email = self.receive(self.mailbox, sender="doctor@private.example")
        ids = email.copy_ids.ids
        Copy = self.env["easycrm.email.copy"]
        batch = self.as_user(Copy, self.mira).ignore(ids)["batch"]
        of_lists = {
            "unlinked_count": (),
            "unlinked_groups": ([],),
            "unlinked_ids": ([],),
            "unlinked_page": ([],),
            "find_records": ("private",),
        }
        of_mails = {
            "action_ignore": (),
            "bring_back": (ids,),
            "ignore": (ids, "address"),
            "link_to": (ids, "res.partner", self.anna.id),
            "new_record_defaults": (ids, "crm.lead"),
            "suggest_records": (ids,),
            "find_others": (batch, "address"),
            "teach": (batch, "address"),
            "undo": (batch,),
        }
        self.assertEqual({*of_lists, *of_mails}, PUBLIC["easycrm.email.copy"])
        for user in (self.jonas, self.sofia, self.bea, self.admin):
            copies = self.as_user(email.copy_ids, user)
            for method, arguments in of_mails.items():
                with (
                    self.subTest(method=method, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    getattr(copies, method)(*arguments)
            self.assertEqual(copies.unlinked_count(), 0)
            for ignored in (False, True):
                self.assertEqual(
                    copies.unlinked_groups([], ignored=ignored)["mails"], 0
                )
                self.assertEqual(copies.unlinked_ids([], ignored=ignored)["total"], 0)
                rows = copies.unlinked_page([], ignored=ignored)["rows"]
                self.assertEqual(rows, [])
        for user in (self.ingrid, self.portal, self.public):
            for method, arguments in {**of_lists, **of_mails}.items():
                with (
                    self.subTest(method=method, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    getattr(self.as_user(email.copy_ids, user), method)(*arguments)

    def link_privately(self, email):
        self.env["easycrm.email.link"].create(
            {"email_id": email.id, "partner_id": self.anna.id}
        )
        self.make_private(email)
