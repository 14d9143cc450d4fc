"""Who sees and changes mailboxes and their folders."""

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.models.easycrm_email_account_access import SYNC_FIELDS
from .common import MailCase


@tagged("post_install", "-at_install")
class TestAccounts(MailCase):
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
