"""Somebody has left: whose customers wait for an answer, and who takes them over."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.modules.migration import load_script
from odoo.tests import Form, tagged

from .common import MailCase


@tagged("post_install", "-at_install")
class TestHandOver(MailCase):
    """Mira has left. Sofia manages; Jonas and Leonie are there to take over."""

    def setUp(self):
        super().setUp()
        self.now = datetime.now(timezone.utc)
        self.mailbox.share_level = "metadata"

    def mail(self, age=1, sender="anna@acme.example", mailbox=None, **parts):
        return self.receive(
            mailbox or self.mailbox,
            sender=sender,
            date=self.now - timedelta(days=age),
            **parts,
        )

    def answer(self, email, mailbox=None, to="anna@acme.example"):
        return self.send(
            mailbox or self.mailbox,
            to=to,
            in_reply_to=email.message_id,
            references=[email.message_id],
            date=self.now,
        )

    def leave(self):
        self.mira.action_archive()

    def get_records(self, user=None):
        mailbox = self.as_user(self.mailbox, user or self.sofia)
        found = mailbox._get_open_conversations().get(mailbox, [])
        self.assertEqual(mailbox.hand_over_count, len(found))
        return [one.record.sudo().browse(one.record.id) for one in found]

    def open(self, user=None):
        action = self.as_user(self.mailbox, user or self.sofia).action_hand_over()
        window = self.env[action["res_model"]].browse(action["res_id"])
        return self.as_user(window, user or self.sofia)

    def get_activities(self, record):
        return record.activity_ids.filtered(
            lambda a: a.sudo().easycrm_account_id == self.mailbox
        )

    # --- which ---

    def test_customers_who_wrote_last_are_listed_the_longest_waiting_first(self):
        self.mail(2)
        self.mail(5, "bruno@beck.example")
        self.mail(1, "somebody@far.example")
        self.assertEqual(self.get_records(), [], "she is still here")
        self.leave()
        self.assertEqual(self.get_records(), [self.bruno, self.anna])
        label = self.as_user(self.mailbox, self.sofia).hand_over_label
        self.assertEqual(label, "Hand over 2 conversations")

    def test_who_is_made_a_portal_user_is_followed_by_colleagues_too(self):
        self.mail(2)
        portal = self.env.ref("base.group_portal")
        self.mira.group_ids = [Command.set(portal.ids)]
        self.assertEqual(self.get_records(), [self.anna])
        window = self.open()
        self.assertNotIn(self.mira, window.line_ids.user_id)
        window.line_ids.user_id = self.jonas
        window.action_hand_over()
        self.assertEqual(len(self.get_activities(self.anna)), 1)

    def test_what_was_answered_by_whomever_waits_for_nobody(self):
        self.answer(self.mail(2))
        other = self.mail(2, "bruno@beck.example")
        self.answer(other, self.jonas_mailbox, "bruno@beck.example")
        self.leave()
        self.assertEqual(self.get_records(), [])
        with self.assertRaisesRegex(UserError, "No customer"):
            self.open()

    def test_what_is_long_over_waits_for_nobody(self):
        self.mail(31)
        self.mail(29, "bruno@beck.example")
        self.leave()
        self.assertEqual(self.get_records(), [self.bruno])

    def test_an_open_opportunity_comes_before_the_contact(self):
        won, lost, old, deal = (
            self.add_lead(name, self.mira, "anna@acme.example")
            for name in ("Won", "Lost", "Old", "Deal")
        )
        self.follow_addresses()
        email = self.mail()
        self.assertLinked(email, [self.anna, won, lost, old, deal])
        won.action_set_won()
        lost.action_set_lost()
        self.leave()
        self.assertEqual(self.get_records(), [deal])
        (deal | old).action_set_lost()
        self.assertEqual(self.get_records(), [self.anna])

    def test_colleagues_and_archived_contacts_are_no_customers(self):
        self.env["ir.config_parameter"].set_param(
            "easycrm_mail.match_colleagues", "True"
        )
        self.env.registry.clear_all_caches()
        self.mail(sender="leonie@ours.example")
        self.mail(sender="bruno@beck.example")
        self.leave()
        self.assertEqual(self.get_records(), [self.bruno])
        self.bruno.active = False
        self.assertEqual(self.get_records(), [])

    def test_a_private_conversation_is_neither_listed_nor_counted(self):
        self.make_private(self.mail())
        self.mail(sender="bruno@beck.example")
        self.leave()
        self.assertEqual(self.get_records(), [self.bruno])

    def test_what_was_taken_off_is_not_listed(self):
        email = self.mail()
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.leave()
        self.assertEqual(self.get_records(), [])

    def test_many_conversations_and_mailboxes_take_as_many_queries_as_a_few(self):
        def count(number):
            at = f"n{number}"
            users = [
                self.add_user(f"{at}u{i}", "sales_team.group_sale_salesman")
                for i in range(number)
            ]
            for user in users:
                mailbox = self.connect(user)
                for i in range(number):
                    sender = f"c{i}@{at}.example"
                    self.env["res.partner"].create({"name": "C", "email": sender})
                    self.follow_addresses()
                    self.mail(sender=sender, mailbox=mailbox)
                user.action_archive()
            accounts = self.env["easycrm.email.account"].search(
                [("user_id", "in", [user.id for user in users])]
            )
            accounts = self.as_user(accounts, self.sofia)
            accounts.mapped("sync_status")
            before = self.cr.sql_log_count
            found = accounts._get_open_conversations()
            queries = self.cr.sql_log_count - before
            self.assertEqual(sum(map(len, found.values())), number**2)
            return queries

        self.env["res.users"]._get_company_ids()
        count(1)
        self.assertLessEqual(count(4), count(2) + 0)

    # --- what the window shows ---

    def test_it_shows_no_more_of_the_mail_than_the_mailbox_shares(self):
        self.mail(subject="Secret terms")
        self.leave()
        for level, shown in (
            ("metadata", False),
            ("subject", "Secret terms"),
            ("everything", "Secret terms"),
        ):
            self.mailbox.share_level = level
            line = self.open().line_ids
            self.assertEqual(line.subject, shown)
            self.assertEqual(line.customer, "Anna Berg")
            [values] = line.read()
            self.assertEqual("Secret terms" in repr(values), bool(shown))

    def test_it_suggests_who_cares_for_the_record_already(self):
        team = self.env["crm.team"].create({"name": "T", "user_id": self.leonie.id})
        theirs = self.add_lead("Theirs", self.jonas, "anna@acme.example")
        orphan = self.add_lead("Hers", self.mira, "buyer@far.example", team_id=team.id)
        self.bruno.user_id = self.jonas
        self.follow_addresses()
        for sender in ("anna@acme.example", "buyer@far.example", "bruno@beck.example"):
            self.mail(sender=sender)
        self.env["res.partner"].create({"name": "Nobody's", "email": "n@no.example"})
        self.follow_addresses()
        self.mail(sender="n@no.example")
        self.leave()
        lines = self.open().line_ids
        suggested = {line._get_record().name: line.user_id for line in lines}
        self.assertEqual(suggested[theirs.name], self.jonas)
        self.assertEqual(suggested[orphan.name], self.leonie)
        self.assertEqual(suggested["Bruno Beck"], self.jonas)
        self.assertFalse(suggested["Nobody's"])

    # --- handing over ---

    def test_each_colleague_gets_one_activity_a_record(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example", team_id=False)
        self.follow_addresses()
        self.mail(3, subject="First")
        self.mail(2, subject="Second")
        self.mail(1, "bruno@beck.example")
        self.leave()
        window = self.open()
        lines = {line._get_record().id: line for line in window.line_ids}
        self.assertEqual(len(lines), 2)
        self.assertEqual(
            window.summary,
            "3 conversations with 2 customers wait for an answer. "
            "2 customers are still without a colleague.",
        )
        with Form(window) as form:
            form.user_id = self.jonas
            with form.line_ids.edit(1) as line:
                self.assertEqual(line.user_id, self.jonas)
                line.user_id = self.leonie
        names = [line.customer for line in window.line_ids]
        action = window.action_hand_over()
        self.assertEqual(action["params"]["message"], "2 customers are handed over.")
        self.env.flush_all()
        [first] = self.get_activities(deal)
        [second] = self.get_activities(self.bruno)
        self.assertEqual(names, ["anna@acme.example", "Bruno Beck"])
        self.assertEqual((first.user_id, second.user_id), (self.jonas, self.leonie))
        self.assertEqual(second.summary, "Take over the conversation with Bruno Beck")
        self.assertIn("Mira Maas has left", first.note)
        for words in ("First", "Second", "Hello"):
            self.assertNotIn(words, f"{first.summary} {first.note}")
        self.assertEqual(deal.user_id, self.jonas, "he could not open it otherwise")
        self.assertTrue(self.as_user(deal, self.jonas).has_access("read"))

    def test_done_twice_or_done_with_it_comes_once(self):
        self.mail(2)
        self.mail(1, "bruno@beck.example")
        self.leave()
        first, second = self.open(), self.open()
        for window in (first, second):
            window.line_ids[0].user_id = self.jonas
        first.action_hand_over()
        self.assertEqual(self.get_records(), [self.bruno])
        with self.assertRaises(UserError):
            second.action_hand_over()
        [activity] = self.get_activities(self.anna)
        self.as_user(activity, self.jonas).action_done()
        self.assertEqual(self.get_records(), [self.bruno])
        second.line_ids.user_id = self.leonie
        second.action_hand_over()
        self.assertEqual(self.get_records(), [])
        all_activities = self.env["mail.activity"].with_context(active_test=False)
        self.assertEqual(
            all_activities.search_count([("easycrm_account_id", "=", self.mailbox.id)]),
            2,
        )

    def hand_over(self):
        """Two conversations with Anna, one with Bruno, all to Leonie."""
        first = self.mail(3, subject="First", cc="jonas@ours.example")
        second = self.mail(2, subject="Second")
        third = self.mail(1, "bruno@beck.example", cc="jonas@ours.example")
        self.give_to(self.jonas_mailbox, first)
        self.give_to(self.jonas_mailbox, third)
        self.leave()
        window = self.open()
        window.line_ids.user_id = self.leonie
        window.action_hand_over()
        return first, second, third

    def give_to(self, mailbox, email):
        """Have another mailbox hold an email, too."""
        self.env["easycrm.email.copy"].create(
            {
                "email_id": email.id,
                "account_id": mailbox.id,
                "direction": "inbound",
                "date": email.date,
            }
        )

    def keep_private(self, email):
        """Jonas, who has the conversation too, keeps it to himself."""
        thread = email.sudo().thread_id
        self.as_user(thread, self.jonas).action_make_private()

    def test_what_is_made_private_is_handed_over_no_more(self):
        first, _second, third = self.hand_over()
        [of_bruno] = self.get_activities(self.bruno)
        self.keep_private(third)
        self.assertFalse(of_bruno.exists())
        [of_anna] = self.get_activities(self.anna)
        self.assertIn("The last email is of", of_anna.note)
        self.keep_private(first)
        self.assertTrue(of_anna.exists(), "it is about another conversation, too")
        self.assertEqual(str(of_anna.note), "<p>Mira Maas has left.</p>")

    def test_what_turns_out_to_be_a_private_conversation_is_so_too(self):
        _first, _second, third = self.hand_over()
        [of_bruno] = self.get_activities(self.bruno)
        other = self.receive(self.jonas_mailbox, sender="x@far.example")
        self.keep_private(other)
        self.receive(
            self.jonas_mailbox,
            sender="x@far.example",
            references=[other.message_id, third.message_id],
        )
        self.assertEqual(other.thread_id, third.thread_id)
        self.assertFalse(of_bruno.exists())

    def test_what_was_handed_over_before_is_known_by_its_record(self):
        _first, _second, third = self.hand_over()
        [of_bruno] = self.get_activities(self.bruno)
        [of_anna] = self.get_activities(self.anna)
        threads = of_anna.sudo().easycrm_thread_ids
        self.env.flush_all()
        self.cr.execute("DELETE FROM easycrm_email_thread_activity_rel")
        self.env.invalidate_all()
        self.keep_private(third)
        self.assertTrue(of_bruno.exists())
        path = Path(__file__).parents[1] / "migrations/19.0.1.5.0/post-hand-overs.py"
        for _time in range(2):
            load_script(str(path), "hand_overs").migrate(self.cr, "19.0.1.4.0")
            self.env.invalidate_all()
            self.assertFalse(of_bruno.exists())
            self.assertEqual(of_anna.sudo().easycrm_thread_ids, threads)

    def test_the_salesperson_is_kept_where_that_is_wished_or_another_one(self):
        hers = self.add_lead("Hers", self.mira, "anna@acme.example")
        theirs = self.add_lead("Theirs", self.jonas, "bruno@beck.example")
        self.follow_addresses()
        self.mail(2)
        self.mail(1, "bruno@beck.example")
        self.leave()
        window = self.open()
        window.reassign = False
        window.line_ids.user_id = self.leonie
        window.action_hand_over()
        self.assertEqual((hers.user_id, theirs.user_id), (self.mira, self.jonas))
        self.assertTrue(self.get_activities(hers) and self.get_activities(theirs))

    def test_a_record_that_does_not_wait_cannot_be_slipped_in(self):
        self.mail()
        self.leave()
        window = self.open()
        window.line_ids = [
            Command.create({"partner_id": self.bruno.id, "user_id": self.jonas.id})
        ]
        window.line_ids.filtered("partner_id").user_id = self.jonas
        window.action_hand_over()
        self.assertTrue(self.get_activities(self.anna))
        self.assertFalse(self.get_activities(self.bruno))

    def test_a_line_tells_nothing_of_an_email_that_is_written_into_it(self):
        hidden = self.mail(sender="doctor@private.example", subject="Secret")
        self.mail()
        self.leave()
        window = self.open()
        window.line_ids = [Command.create({"email_id": hidden.id})]
        line = window.line_ids.filtered(lambda line: line.email_id == hidden)
        [values] = line.read()
        self.assertFalse(values["date"] or values["subject"] or values["customer"])
        self.assertEqual(values["email_id"][1], "")

    def test_only_administrators_hand_over(self):
        self.mailbox.member_ids = self.leonie
        self.mail()
        self.leave()
        for user in (self.jonas, self.leonie, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.open(user)
        self.open(self.admin)

    def test_nobody_opens_the_window_of_another_administrator(self):
        self.mail()
        self.leave()
        window = self.open()
        for records in (window, window.line_ids):
            self.assertTrue(records.has_access("read"))
            for operation in ("read", "write", "unlink"):
                others = self.as_user(records, self.admin)
                self.assertFalse(others.has_access(operation))

    def test_what_only_others_may_open_is_not_handed_over(self):
        """Whoever administers mail alone sees his own opportunities only."""
        keeper = self.add_user(
            "keeper",
            "easycrm_mail.group_easycrm_mail_manager,sales_team.group_sale_salesman",
        )
        self.add_lead("Deal", self.jonas, "buyer@far.example")
        self.follow_addresses()
        self.mail(sender="buyer@far.example")
        self.leave()
        self.assertEqual(self.get_records(keeper), [])
        self.assertEqual(len(self.get_records(self.sofia)), 1)
