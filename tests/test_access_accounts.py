"""Who sees and changes mailboxes and their folders; what RPC reaches."""

from inspect import isfunction

from odoo import Command, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import tagged

from ..easycrm_mail.models.easycrm_email_account_access import SYNC_FIELDS
from .common import MailCase

#: Every method of ours that RPC reaches, beyond Odoo's own. One that is added here must
#: be tried by somebody without access, in `test_no_public_method_leaks`.
PUBLIC = {
    "crm.lead": {
        "easycrm_action_compose",
        "easycrm_only_here",
        "easycrm_people",
        "easycrm_timeline",
        "easycrm_undo_only_here",
    },
    "easycrm.email": {
        "easycrm_action_reply",
        "easycrm_body",
        "easycrm_history",
        "easycrm_read_large",
        "easycrm_sharing",
        "easycrm_values",
        "easycrm_why",
    },
    "easycrm.email.account": {
        "action_disconnect",
        "action_hand_over",
        "action_pause",
        "action_read_left_out",
        "action_reconnect",
        "action_sign_in",
        "action_compare_now",
        "action_sync_now",
        "action_test_connection",
        "connect_get_folders",
        "connect_leave",
        "connect_look",
        "connect_read",
        "connect_restart",
        "connect_save",
        "connect_sign_in",
        "connect_start",
        "connect_test",
        "easycrm_health_counts",
    },
    "easycrm.email.bounce": {"action_send_again"},
    "easycrm.email.compose": {
        "easycrm_discard",
        "easycrm_get_documents",
        "easycrm_get_templates",
        "easycrm_open",
        "easycrm_reopen",
        "easycrm_save",
        "easycrm_save_template",
        "easycrm_send",
        "easycrm_take_documents",
        "easycrm_take_files",
        "easycrm_undo",
        "easycrm_use_template",
    },
    "easycrm.email.erase": {"action_erase"},
    "easycrm.email.copy": {
        "bring_back",
        "find_others",
        "find_records",
        "ignore",
        "link_to",
        "new_record_defaults",
        "suggest_records",
        "teach",
        "undo",
        "unlinked_count",
        "unlinked_groups",
        "unlinked_ids",
        "unlinked_page",
    },
    "easycrm.email.failure": {"action_retry"},
    "easycrm.email.hand.over": {"action_hand_over"},
    "easycrm.email.link": {"action_put_back", "action_take_off"},
    "easycrm.email.outgoing": {
        "action_cancel",
        "action_discard",
        "action_queue",
        "action_send_again",
        "action_send_now",
        "action_undo",
        "easycrm_planned",
    },
    "easycrm.email.rule": {"action_remove", "action_switch"},
    "easycrm.email.rule.add": {"action_add", "action_add_and_clear"},
    "easycrm.email.rule.remove": {"action_remove", "action_remove_and_read"},
    "easycrm.email.thread": {"action_make_private", "action_share"},
    "easycrm.esp": {"action_import_suppressions", "action_test"},
    "easycrm.esp.batch": {"action_send_again"},
    "mail.mail": {"send"},
    "mailing.mailing": {
        "action_easycrm_cancel",
        "action_easycrm_go_on_through",
        "action_easycrm_pause",
        "action_easycrm_resume",
        "action_easycrm_send_unconfirmed",
        "action_easycrm_view_left_out",
        "action_easycrm_view_recipients",
        "action_put_in_queue",
        "action_retry_failed",
        "easycrm_get_progress",
        "easycrm_get_results",
    },
    "res.partner": {"easycrm_action_compose", "easycrm_people", "easycrm_timeline"},
    "res.users": {"action_easycrm_my_accounts"},
    "res.config.settings": {
        "action_easycrm_check_google",
        "action_easycrm_check_microsoft",
        "get_values",
        "set_values",
    },
}

#: Those that tell nothing, or of the caller's own: whoever has mail may call them.
HARMLESS = {
    "easycrm.email.account": {
        "action_connect",
        "connect_find_servers",
        "connect_get_options",
        "easycrm_send_options",
    },
    "easycrm.email.bounce": {"easycrm_flagged"},
    "easycrm.email.compose": {"easycrm_read_people", "easycrm_suggest"},
    "easycrm.email.copy": {"unlinked_empty"},
    "easycrm.email.outgoing": {"easycrm_wake"},
    # (core's own: every kind of action has it, and it names what is in a menu)
    **{
        f"ir.actions.{kind}": {"get_bindings"}
        for kind in (
            *("actions", "act_url", "act_window", "act_window_close", "client"),
            *("report", "server"),
        )
    },
}


@tagged("post_install", "-at_install")
class TestAccounts(MailCase):
    maxDiff = None

    def set_aside(self, mailbox):
        return self.env["easycrm.email.failure"].create(
            {
                "account_id": mailbox.id,
                "stream": "INBOX",
                "provider_ref": "1:7",
                "error": "Broken",
            }
        )

    def test_each_sees_their_own_and_the_teams_mailboxes(self):
        team = self.connect(self.sofia, "team@ours.example", member_ids=self.mira.ids)
        other = self.connect(self.bea)
        everything = self.mailbox | self.jonas_mailbox | team
        for user, mailboxes in (
            (self.mira, self.mailbox | team),
            (self.jonas, self.jonas_mailbox),
            (self.leonie, self.env["easycrm.email.account"]),
            (self.sofia, everything),
            (self.bea, other),
        ):
            for model, field in (
                ("easycrm.email.account", "id"),
                ("easycrm.email.folder", "account_id"),
            ):
                found = self.as_user(self.env[model], user).search([])
                self.assertEqual(
                    set(found.mapped(field)), self.ids_of(mailboxes, field)
                )
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.as_user(self.mailbox, user).search([])
            with self.assertRaises(AccessError):
                self.as_user(self.mailbox.folder_ids, user).read(["name"])

    @staticmethod
    def ids_of(mailboxes, field):
        return set(mailboxes.ids if field == "id" else mailboxes)

    def test_a_colleague_neither_reads_nor_changes_a_mailbox(self):
        mailbox = self.as_user(self.mailbox, self.jonas)
        for call in (
            lambda: mailbox.read(["email"]),
            lambda: mailbox.write({"share_level": "metadata"}),
            lambda: mailbox.write({"imap_password": "x"}),
            mailbox.unlink,
            lambda: mailbox.folder_ids.read(["name"]),
            lambda: mailbox.folder_ids.write({"selected": False}),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_a_team_member_reads_but_does_not_change_a_mailbox(self):
        self.mailbox.member_ids = self.jonas
        mailbox = self.as_user(self.mailbox, self.jonas)
        self.assertEqual(mailbox.email, "mira@ours.example")
        for values in ({"share_level": "metadata"}, {"imap_host": "evil.example"}):
            with self.assertRaises(AccessError):
                mailbox.write(values)
        with self.assertRaises(AccessError):
            mailbox.folder_ids.write({"selected": False})

    def test_the_password_is_written_by_its_owner_and_read_by_nobody(self):
        mailbox = self.as_user(self.mailbox, self.mira)
        mailbox.imap_password = "new secret"
        self.assertFalse(mailbox.imap_password)
        for user in (self.mira, self.sofia, self.admin):
            mailbox = self.as_user(self.mailbox, user)
            [values] = mailbox.read()
            self.assertFalse(values["imap_password"])
            self.assertTrue(values["has_password"])
            self.assertNotIn("imap_secret", values)
            self.assertNotIn("new secret", repr(values))
            for call in (
                lambda box=mailbox: box.read(["imap_secret"]),
                lambda box=mailbox: box.write({"imap_secret": "x"}),
                lambda box=mailbox: box.search([("imap_secret", "like", "a")]),
                lambda box=mailbox: box.formatted_read_group(
                    [], ["imap_secret"], ["__count"]
                ),
            ):
                with self.assertRaises(AccessError):
                    call()
        secret = self.mailbox.sudo().imap_secret
        self.assertTrue(secret)
        self.assertNotIn("new secret", secret)

    def test_a_password_is_not_sent_to_another_server_than_it_was_given_for(self):
        for values in (
            {"imap_host": "evil.example"},
            {"imap_port": 143},
            {"imap_security": "none"},
            {"imap_login": "somebody"},
        ):
            with self.subTest(values=values):
                self.mailbox.imap_password = "secret"
                mailbox = self.as_user(self.mailbox, self.mira)
                mailbox.write(
                    {"share_level": "subject", "imap_host": mailbox.imap_host}
                )
                self.assertTrue(mailbox.has_password)
                mailbox.write(values)
                self.assertFalse(self.as_user(self.mailbox, self.mira).has_password)
        self.as_user(self.mailbox, self.mira).write(
            {"imap_host": "new.example", "imap_password": "typed with it"}
        )
        self.assertTrue(self.mailbox.has_password)

    def test_nobody_else_has_the_password_sent_to_another_outgoing_server(self):
        for values in (
            {"smtp_host": "evil.example"},
            {"smtp_port": 25},
            {"smtp_security": "none"},
        ):
            with self.subTest(values=values):
                self.mailbox.write({"smtp_host": "a.example", "smtp_port": 465})
                self.mailbox.write({"smtp_security": "ssl", "imap_password": "secret"})
                self.as_user(self.mailbox, self.sofia).write(values)
                self.assertFalse(self.mailbox.has_password)
        self.mailbox.imap_password = "secret"
        self.as_user(self.mailbox, self.mira).smtp_host = "new.example"
        self.assertTrue(self.mailbox.has_password)

    def test_a_copied_account_has_no_password(self):
        values = self.mailbox.copy_data({"email": "other@ours.example"})[0]
        self.assertFalse({"imap_secret", "imap_password"} & set(values))

    def test_the_syncs_own_fields_are_not_written_by_rpc(self):
        values = {name: self.mailbox[name] for name in SYNC_FIELDS}
        for user in (self.mira, self.sofia):
            for name, value in values.items():
                with self.subTest(field=name, user=user.login):
                    with self.assertRaises(AccessError):
                        self.as_user(self.mailbox, user).write({name: value})
                    with self.assertRaises(AccessError):
                        self.as_user(self.mailbox.browse(), user).create(
                            {"email": "new@ours.example", name: value}
                        )

    def test_what_the_context_gives_by_default_is_no_way_around(self):
        accounts = self.as_user(self.env["easycrm.email.account"], self.jonas)
        for name, value in (
            ("user_id", self.mira.id),
            ("alias_emails", "anna@acme.example"),
            ("last_sync", fields.Datetime.now()),
            ("sync_status", "ok"),
        ):
            with self.subTest(field=name), self.assertRaises(AccessError):
                accounts.with_context(**{f"default_{name}": value}).create(
                    {"email": "new@ours.example"}
                )

    def test_only_an_administrator_adds_a_mailbox_for_others_or_further_addresses(self):
        accounts = self.as_user(self.env["easycrm.email.account"], self.mira)
        for values in (
            {"user_id": self.jonas.id},
            {"alias_emails": "info@far.example"},
        ):
            fresh = self.connect(self.mira, "fresh@ours.example", last_sync=False)
            with self.assertRaises(AccessError):
                self.as_user(fresh, self.mira).write(values)
            with self.assertRaises(AccessError):
                accounts.create({"email": "new@ours.example", **values})
            self.as_user(fresh, self.sofia).write(values)
            fresh.unlink()

    def test_nobody_takes_over_a_mailbox_that_has_been_read(self):
        for user in (self.mira, self.jonas, self.sofia, self.admin):
            for values in (
                {"user_id": user.id},
                {"user_id": self.leonie.id},
            ):
                with self.assertRaises(UserError):
                    self.as_user(self.mailbox, user).write(values)
        for user in (self.jonas, self.sofia, self.admin):
            with self.assertRaises(AccessError):
                self.as_user(self.mailbox, user).write(
                    {"member_ids": [Command.link(user.id)]}
                )
        self.as_user(self.mailbox, self.mira).member_ids = self.jonas

    def test_the_address_of_a_customer_is_not_claimed_as_ours(self):
        accounts = self.as_user(self.env["easycrm.email.account"], self.jonas)
        with self.assertRaises(UserError):
            accounts.create({"email": "Bruno@Beck.example"})

    def test_a_user_connects_a_mailbox_of_their_own(self):
        mailbox = self.as_user(self.env["easycrm.email.account"], self.leonie).create(
            {"email": "Leonie@Ours.Example", "imap_password": "secret"}
        )
        self.assertEqual(mailbox.user_id, self.leonie)
        self.assertEqual(mailbox.email, "leonie@ours.example")
        self.assertEqual(mailbox.sync_status, "draft")
        self.assertTrue(mailbox.has_password)

    def test_a_mailbox_that_was_read_stays_that_mailbox(self):
        for values in (
            {"email": "other@ours.example"},
            {"company_id": self.company_b.id},
            {"provider": "gmail"},
        ):
            with self.assertRaises(UserError):
                self.as_user(self.mailbox, self.mira).write(values)

    def test_the_owner_chooses_folders_but_makes_none(self):
        folder = self.as_user(self.mailbox.folder_ids[0], self.mira)
        folder.selected = False
        with self.assertRaises(AccessError):
            folder.read(["checkpoint"])
        with self.assertRaises(AccessError):
            folder.write({"checkpoint": "x"})
        with self.assertRaises(AccessError):
            folder.create({"account_id": self.mailbox.id, "stream": "x", "name": "x"})
        with self.assertRaises(AccessError):
            self.as_user(self.mailbox, self.mira).write(
                {"folder_ids": [Command.create({"stream": "x", "name": "x"})]}
            )

    def test_what_is_set_aside_is_seen_by_its_owner_and_administrators(self):
        failure = self.set_aside(self.mailbox)
        for user in (self.mira, self.sofia):
            self.assertEqual(self.as_user(failure, user).search([]), failure)
        self.assertFalse(self.as_user(failure, self.jonas).search([]))
        with self.assertRaises(AccessError):
            self.as_user(failure, self.mira).write({"attempts": 0})

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
        batch = self.env["easycrm.esp.batch"].create(
            {"esp_id": esp.id, "mailing_id": mailing.id, "key": "k", "state": "doubt"}
        )
        mail = self.env["mail.mail"].create({"email_to": "anna@acme.example"})
        return {
            "mail.mail": mail,
            "easycrm.esp": esp,
            "easycrm.esp.batch": batch,
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
            copies = self.as_user(Copy, user)
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
                    getattr(self.as_user(Copy, user), method)(*arguments)

    def link_privately(self, email):
        self.env["easycrm.email.link"].create(
            {"email_id": email.id, "partner_id": self.anna.id}
        )
        self.make_private(email)
