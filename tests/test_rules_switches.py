"""A mailbox's switches: newsletters, automatic mail and mail among colleagues."""

from odoo.tests import tagged

from .rule_case import RuleCase


@tagged("post_install", "-at_install")
class TestSwitches(RuleCase):
    def receive_automatic(self, name, value, **values):
        values.setdefault("sender", "news@shop.example")
        return self.receive(
            self.mailbox, subject=name, headers=[(name, value)], **values
        )

    def test_they_are_off_unless_somebody_switches_them_on(self):
        self.assertFalse(self.mailbox.ignore_automatic)
        self.assertFalse(self.mailbox.ignore_colleagues)
        self.receive_automatic("List-Id", "<news.shop.example>")
        self.receive(self.mailbox, sender="jonas@ours.example", subject="Lunch")
        self.assertEqual(self.get_subjects(), ["List-Id", "Lunch"])

    def test_newsletters_and_automatic_mail_are_left_out(self):
        self.mailbox.with_user(self.mira).ignore_automatic = True
        for name, value, stored in (
            ("List-Id", "<news.shop.example>", False),
            ("List-Unsubscribe", "<https://shop.example/u>", False),
            ("Precedence", "Bulk", False),
            ("Precedence", "list", False),
            ("Precedence", "first-class", True),
            ("Auto-Submitted", "auto-generated", False),
            ("Auto-Submitted", "auto-replied; x=y", False),
            ("Auto-Submitted", "no", True),
            ("List-Id", "Sales <sales.ours.example>", True),
            ("List-Id", "<sales.notours.example>", False),
            ("X-Other", "list", True),
        ):
            with self.subTest(name=name, value=value):
                before = len(self.get_left_out())
                email = self.receive_automatic(name, value)
                self.assertEqual(bool(email), stored)
                self.assertEqual(len(self.get_left_out()) - before, not stored)

    def test_what_a_contact_wrote_or_oneself_is_kept(self):
        self.mailbox.ignore_automatic = True
        absence = [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")]
        self.assertLinked(
            self.receive(self.mailbox, subject="Away", headers=absence), self.anna
        )
        self.send(self.mailbox, subject="Ours", headers=[("Precedence", "bulk")])
        self.receive(self.mailbox, sender="jonas@ours.example", headers=absence)
        self.assertEqual(self.get_subjects(), ["Away", "Ours"])

    def test_mail_among_colleagues_is_left_out(self):
        self.mailbox.ignore_colleagues = True
        self.connect(self.leonie, "team@ours.example")
        for people, stored in (
            ({"sender": "jonas@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "ingrid@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "team@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "anna@acme.example"}, True),
            ({"sender": "jonas@ours.example", "bcc": "x@else.example"}, True),
            ({"sender": "unknown@ours.example"}, True),
            ({"sender": "mira@ours.example", "to": "jonas@ours.example"}, False),
            ({"sender": "mira@ours.example", "to": "mira@ours.example"}, False),
            ({"sender": "", "to": ""}, True),
        ):
            with self.subTest(people=people):
                self.assertEqual(bool(self.receive(self.mailbox, **people)), stored)

    def test_the_form_says_how_many_for_which_reason(self):
        mailbox = self.as_user(self.mailbox, self.mira)
        mailbox.write({"ignore_automatic": True, "ignore_colleagues": True})
        self.add_rule("bank.example")
        for _time in range(3):
            self.receive_automatic("Precedence", "bulk")
        for _time in range(2):
            self.receive(self.mailbox, sender="x@bank.example")
        self.receive(self.mailbox, sender="jonas@ours.example")
        self.assertEqual(
            self.as_user(self.mailbox, self.mira).left_out_words,
            "3 newsletters and automatic emails · 2 by “@bank.example” "
            "· 1 among colleagues",
        )
        self.assertEqual(self.as_user(self.mailbox, self.mira).readmitted_count, 0)
        self.as_user(self.mailbox, self.mira).ignore_automatic = False
        mailbox = self.as_user(self.mailbox, self.mira)
        self.assertEqual(mailbox.readmitted_count, 3)
        mailbox.action_read_left_out()
        self.assertEqual(
            [reason for reason, _rule in self.get_left_out()],
            ["rule", "rule", "colleagues"],
        )

    def test_what_would_be_read_again_is_counted_alike_for_many_as_for_few(self):
        mailbox = self.as_user(self.mailbox, self.mira)

        def count_queries(number):
            self.env.cr.execute(
                """INSERT INTO easycrm_email_exclusion
                       (account_id, stream, provider_ref, reason, day, mark)
                   SELECT %s, 'INBOX', i, 'automatic', current_date, i
                   FROM generate_series(1, %s) i ON CONFLICT DO NOTHING""",
                [self.mailbox.id, number],
            )
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(mailbox.readmitted_count, number)
            return self.cr.sql_log_count - before

        count_queries(1)  # rules and groups are cached
        few = count_queries(2)
        self.assertEqual(count_queries(2500), few)
