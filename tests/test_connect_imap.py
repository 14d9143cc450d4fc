from datetime import date, timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged

from .common import raw_mail
from .connect_look import NOW, SINCE, Looking
from .mailbox import PASSWORD, RealMailbox
from .servers.smtp import SmtpServer


@tagged("post_install", "-at_install")
class TestConnectImap(Looking, RealMailbox, TransactionCase):
    """The window of a mailbox, on a real mail server."""

    def setUp(self):
        super().setUp()
        self.draft = self.as_user(self.account, self.mira)

    def bring(self, raw):
        self.server.deliver(self.login, raw)

    def start(self, **choices):
        self.assertFalse(
            self.draft.connect_start({"folders": ["INBOX"], "since": SINCE, **choices})
        )

    def test_a_look_tells_the_kinds_and_stores_nothing(self):
        self.deliver_all_kinds(self.bring)
        before = self.count_rows()
        box = self.server.snapshot(self.login, "INBOX")
        folders = self.draft.connect_get_folders()["folders"]
        self.assertIn(
            {"stream": "INBOX", "name": "Inbox", "role": "inbox", "default": True},
            folders,
        )
        mails, page = self.look("INBOX")
        self.assertAllKinds(mails)
        self.assertEqual((page["done"], page["total"]), (5, 5))
        self.assertEqual(self.count_rows(), before)
        self.assertEqual(self.server.snapshot(self.login, "INBOX"), box)
        self.assertEqual(self.account.sync_status, "draft")

    def test_it_goes_page_by_page_and_costs_the_same_each(self):
        for number in range(6):
            self.bring(raw_mail(f"p{number}@far.example", date=NOW))
        mails, _page = self.look("INBOX", size=2)
        self.assertEqual(len({mail[0] for mail in mails}), 6)
        until = fields.Datetime.to_string(fields.Datetime.now() + timedelta(hours=1))

        def count(size):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.draft.connect_look("INBOX", SINCE, until, "", size)
            return self.cr.sql_log_count - before

        count(1)  # (fills the caches)
        self.assertEqual(count(1), count(6))

    def test_what_is_matched_is_what_a_sync_links(self):
        lead = self.add_lead("Deal", self.mira, "buyer@far.example")
        self.account.imap_login = self.login
        self.account.imap_password = PASSWORD
        for sender in ("buyer@far.example", "anna@acme.example", "x@far.example"):
            self.bring(raw_mail(sender, date=NOW, cc="jonas@ours.example"))
        mails, _page = self.look("INBOX")
        told = sorted(tuple(map(tuple, mail[4:7])) for mail in mails)
        self.start()
        self.run_cron("_cron_backfill")
        emails = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        linked = sorted(
            (
                tuple(email.link_ids.partner_id.ids),
                tuple(email.link_ids.lead_id.ids),
                tuple(email.link_ids.lead_id.ids),
            )
            for email in emails.email_id
        )
        self.assertEqual(told, linked)
        self.assertIn(((), (lead.id,), (lead.id,)), told)

    def look_at(self, *raws):
        """Return [kind, automatic, private] of these mails, as the look tells."""
        for raw in raws:
            self.bring(raw)
        mails, _page = self.look("INBOX")
        return [[kind, auto, private] for _key, _day, kind, auto, *_, private in mails]

    def read_in(self, **choices):
        """Have the mailbox read; return the senders of what is stored."""
        self.account.imap_login = self.login
        self.account.imap_password = PASSWORD
        self.start(**choices)
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return sorted(copies.mapped("from_address"))

    def test_rules_leave_out_of_the_counts_what_they_leave_out_of_the_mailbox(self):
        rules = self.env["easycrm.email.rule"]
        mine = {"user_id": self.mira.id}
        rules.create(
            [
                {"pattern": "anna@acme.example", **mine},
                {"pattern": "far.example", "company_id": self.company_a.id},
                {"pattern": "bruno@beck.example", "kind": "never_link", **mine},
                # another's, and one that Mira has switched off
                {"pattern": "y@near.example", "user_id": self.jonas.id},
            ]
        )
        off = rules.create(
            {"pattern": "z@near.example", "company_id": self.company_a.id}
        )
        self.as_user(off, self.mira).action_switch()
        senders = [
            "anna@acme.example",
            "x@far.example",
            "bruno@beck.example",
            "y@near.example",
            "z@near.example",
        ]
        kinds = self.look_at(*(raw_mail(one, date=NOW) for one in senders))
        self.assertEqual(
            sorted(kind for kind, _auto, _private in kinds),
            ["never_link", "never_store", "never_store", "strangers", "strangers"],
        )
        self.assertEqual(self.read_in(), senders[2:])
        self.assertFalse(self.bruno.easycrm_email_link_ids)

    def test_automatic_mail_that_is_taken_in_all_the_same_is_told_so(self):
        answer = [("Auto-Submitted", "auto-replied")]
        own_list = [("List-Id", f"<sales.{self.account.email.rpartition('@')[2]}>")]
        kinds = self.look_at(
            raw_mail("anna@acme.example", date=NOW, headers=answer),
            raw_mail(self.account.email, "x@far.example", date=NOW, headers=answer),
            raw_mail("y@far.example", date=NOW, headers=own_list),
            raw_mail("z@far.example", cc="anna@acme.example", date=NOW, headers=answer),
        )
        self.assertEqual([auto for _kind, auto, _private in kinds].count(True), 1)
        senders = self.read_in(ignore_automatic=True)
        self.assertEqual(len(senders), 3)
        self.assertNotIn("z@far.example", senders)

    def test_what_looks_private_is_told_and_not_taken_in_unless_it_is_wished(self):
        self.env["res.partner"].create({"name": "Client", "email": "x@hsbc.example"})
        self.follow_addresses()
        raws = [
            raw_mail("service@sparkasse-ulm.example", date=NOW),
            raw_mail("x@hsbc.example", date=NOW),  # a customer
            raw_mail("jonas@ours.example", subject="Your payslip", date=NOW),
            raw_mail("z@far.example", subject="Our offer", date=NOW),
        ]
        kinds = self.look_at(*raws)
        self.assertEqual(
            sorted(private for _kind, _auto, private in kinds if private),
            ["jonas@ours.example", "service@sparkasse-ulm.example"],
        )
        draft = self.draft.connect_restart()
        self.assertTrue(draft["ignore_private"], "the default")
        self.assertEqual(
            self.read_in(ignore_private=True), ["x@hsbc.example", "z@far.example"]
        )
        mailbox = self.as_user(self.account, self.mira)
        self.assertEqual(mailbox.left_out_words, "2 that look private")
        mailbox.ignore_private = False
        mailbox.action_read_left_out()
        self.run_cron()
        self.run_cron()
        self.assertFalse(mailbox.left_out_count)
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertEqual(len(copies), 4)

    def test_a_won_opportunity_is_not_an_open_one(self):
        lead = self.add_lead("Deal", self.mira, "buyer@far.example")
        lead.action_set_won()
        self.bring(raw_mail("buyer@far.example", date=NOW))
        [mail] = self.look("INBOX")[0]
        self.assertEqual(mail[4:7], [[], [lead.id], []])

    def test_records_that_one_may_not_read_are_not_told_of(self):
        self.add_lead("Deal of Jonas", self.jonas, "buyer@far.example")
        other = self.env["res.partner"].create(
            {
                "name": "Of branch B",
                "email": "b@far.example",
                "company_id": self.company_b.id,
            }
        )
        self.cr.flush()
        self.bring(raw_mail("buyer@far.example", date=NOW))
        self.bring(raw_mail(other.email, date=NOW))
        self.assertEqual(
            [mail[2:7] for mail in self.look("INBOX")[0]],
            2 * [["strangers", False, [], [], []]],
        )

    def test_only_its_owner_looks_into_a_mailbox(self):
        self.bring(raw_mail())
        calls = {
            "connect_read": [],
            "connect_get_folders": [],
            "connect_look": ["INBOX", SINCE, "2100-01-01 00:00:00"],
            "connect_test": ["reading"],
            "connect_sign_in": ["/odoo"],
            "connect_save": [{"imap_host": "127.0.0.1"}],
            "connect_leave": ["look", {}],
            "connect_start": [{"folders": ["INBOX"]}],
            "connect_restart": [],
        }
        self.account.member_ids = self.leonie
        for user in (self.sofia, self.admin, self.jonas, self.leonie, self.ingrid):
            account = self.as_user(self.account, user)
            for name, arguments in calls.items():
                with (
                    self.subTest(f"{user.name}: {name}"),
                    self.assertRaises(AccessError),
                ):
                    getattr(account, name)(*arguments)
        with self.assertRaises(AccessError):
            self.as_user(self.account.browse(), self.ingrid).connect_get_options()

    def test_only_its_owner_is_led_to_the_window_until_it_is_started(self):
        self.account.member_ids = self.leonie
        for user in (self.sofia, self.admin, self.leonie):
            self.assertFalse(self.as_user(self.account, user).may_connect)
        self.assertTrue(self.draft.may_connect)
        self.assertEqual(
            self.draft.action_connect()["params"], {"account_id": self.draft.id}
        )
        self.start()
        self.assertFalse(self.draft.may_connect)

    def test_a_mailbox_that_runs_is_not_looked_at_again(self):
        self.start()
        with self.assertRaises(UserError):
            self.draft.connect_look("INBOX", SINCE, "2100-01-01 00:00:00")

    def test_errors_are_told_in_plain_words(self):
        self.assertFalse(self.draft.connect_test("reading"))
        self.draft.connect_save({"imap_password": "wrong"})
        told = self.draft.connect_test("reading")
        self.assertIn(f"not accept the password for the login {self.login}.", told)
        page = self.draft.connect_look("INBOX", SINCE, "2100-01-01 00:00:00")
        self.assertEqual((page["error"], page["kind"]), (told, "reconnect"))
        self.draft.connect_save(
            {"imap_host": "mail.nowhere.invalid", "imap_password": PASSWORD}
        )
        self.assertIn("was not found", self.draft.connect_test("reading"))
        self.assertEqual(
            self.draft.connect_get_folders()["error"],
            self.draft.connect_test("reading"),
        )

    def test_a_folder_that_is_gone_and_dates_that_are_none(self):
        page = self.draft.connect_look("Nowhere", SINCE, "2100-01-01 00:00:00")
        self.assertIn("not in the mailbox", page["error"])
        for since, until in (("never", "2100-01-01 00:00:00"), (SINCE, "x"), ("", "")):
            with self.assertRaises(UserError):
                self.draft.connect_look("INBOX", since, until)

    def test_sending_is_tested_without_sending(self):
        with SmtpServer({self.login: PASSWORD}) as server:
            values = {"smtp_host": "127.0.0.1", "smtp_port": server.port}
            self.draft.connect_save({**values, "smtp_security": "none"})
            self.assertFalse(self.draft.connect_test("sending"))
            self.assertNotIn("MAIL", server.commands)
            server.users = {}
            self.assertIn(
                "127.0.0.1 does not accept the password for the login",
                self.draft.connect_test("sending"),
            )
        self.assertIn("does not answer on port", self.draft.connect_test("sending"))

    def test_choices_are_kept_for_another_time(self):
        since = fields.Date.to_string(date.today() - timedelta(days=30))
        choices = {"folders": ["Sent"], "since": since, "share_level": "subject"}
        before = self.count_rows()
        self.draft.connect_leave("look", choices)
        self.assertEqual(self.count_rows(), before)
        values = self.draft.connect_read()
        self.assertEqual(values["step"], "look")
        self.assertEqual(values["folders"], ["Sent"])
        self.assertEqual(values["since"], since)
        self.assertEqual(values["share_level"], "subject")
        self.assertNotIn("imap_password", values)
        self.assertIn("You stopped at “Look first” today at", values["words"])
        self.assertFalse(self.as_user(self.account, self.sofia).connect_words)
        [left] = self.draft.browse().connect_get_options()["left"]
        self.assertEqual(left["id"], self.account.id)
        self.assertEqual(self.account.sync_status, "draft")

        values = self.draft.connect_restart()
        self.assertEqual(values["step"], "mailbox")
        self.assertFalse(values["folders"] or values["words"])
        self.assertEqual(
            (values["since"], values["share_level"]), (SINCE, "everything")
        )

    def test_when_it_was_left_is_told_as_people_say_it(self):
        state = {"step": "look", "folders": None}
        for days, words in ((0, "today at"), (1, "yesterday at"), (5, "at “Look")):
            at = fields.Datetime.now() - timedelta(days=days)
            self.account.connect_state = {**state, "at": fields.Datetime.to_string(at)}
            self.assertIn(words, self.draft.connect_words)

    def test_it_starts_as_it_was_chosen(self):
        self.bring(raw_mail(date=NOW))
        self.draft.connect_leave("look", {"folders": ["Sent"]})
        self.start(folders=["INBOX", "Archive"], share_level="metadata")
        self.assertEqual(
            set(self.account.folder_ids.filtered("selected").mapped("stream")),
            {"INBOX", "Archive"},
        )
        self.assertEqual(self.account.share_level, "metadata")
        self.assertFalse(self.account.connect_words)
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(
            self.env["easycrm.email.copy"].search_count(
                [("account_id", "=", self.account.id)]
            ),
            1,
        )

    def test_it_does_not_start_with_no_folder_or_where_they_are_gone(self):
        with self.assertRaises(UserError):
            self.draft.connect_start({"folders": []})
        self.assertIn("Look again", self.draft.connect_start({"folders": ["Nowhere"]}))
        self.assertEqual(self.account.sync_status, "draft")
        self.assertFalse(self.account.folder_ids)
