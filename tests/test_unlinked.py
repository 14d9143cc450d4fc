from datetime import UTC, datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_copy_groups, easycrm_email_tally
from .unlinked_case import UnlinkedCase


@tagged("post_install", "-at_install")
class TestUnlinked(UnlinkedCase):
    """The lists of Unlinked Emails, and how many wait in them."""

    def test_the_groups_say_who_wrote_how_much_the_newest_first(self):
        self.stranger(1, subject="Old")
        self.stranger(2, subject="Other")
        self.stranger(1, subject="New")
        groups = self.inbox().unlinked_groups([])
        self.assertEqual(groups["total"], 2)
        self.assertEqual(groups["mails"], 3)
        self.assertEqual(
            [
                (group["address"], group["name"], group["count"], group["subject"])
                for group in groups["groups"]
            ],
            [
                ("tobias1@union.example", "Tobias Wendt", 2, "New"),
                ("tobias2@union.example", "Tobias Wendt", 1, "Other"),
            ],
        )
        self.assertEqual(self.inbox().unlinked_count(), 3)
        second = self.inbox().unlinked_groups([], offset=1, limit=1)
        self.assertEqual(second["groups"], groups["groups"][1:])
        beyond = self.inbox().unlinked_groups([], offset=9)
        self.assertEqual((beyond["groups"], beyond["total"]), ([], 2))

    def assertTally(self):
        """Assert that the tally says what is so, and the badge with it."""
        self.env.flush_all()
        self.env["easycrm.email.tally"]._sum_up()
        self.cr.execute(
            """
            SELECT account, address, is_ignored, sum(mails) FROM easycrm_email_tally
            GROUP BY 1, 2, 3 HAVING sum(mails) <> 0
            EXCEPT
            SELECT account_id, coalesce(from_address, ''), ignored IS TRUE, count(*)
            FROM easycrm_email_copy WHERE is_unlinked IS TRUE GROUP BY 1, 2, 3
            """
        )
        self.assertEqual(self.cr.fetchall(), [])
        found = self.Copy.search_count(
            [
                ("is_unlinked", "=", True),
                ("ignored", "=", False),
                ("account_id", "=", self.mailbox.id),
            ]
        )
        self.assertEqual(self.inbox().unlinked_count(), found)

    def test_the_badge_is_exact_by_every_road(self):
        emails = [self.stranger(number % 3) for number in range(6)]
        self.assertTally()
        self.inbox().link_to(self.ids(emails[0]), "res.partner", self.bruno.id)
        self.assertTally()
        self.inbox().ignore(self.ids(emails[1]), "address")
        self.assertTally()
        self.as_user(emails[0].link_ids, self.mira).action_take_off()
        self.assertTally()
        self.bruno.email = "tobias2@union.example"
        self.follow_addresses()
        self.assertTally()
        emails[3].copy_ids.unlink()
        self.assertTally()
        emails[4].unlink()
        self.assertTally()
        with patch.object(easycrm_email_tally, "SUMMED_FROM", 1):
            self.assertTally()
        self.bruno.unlink()
        self.assertTally()
        self.env["easycrm.email.tally"]._count_anew()
        self.assertTally()
        self.mailbox.unlink()
        self.assertEqual(self.inbox().unlinked_count(), 0)

    def test_the_tally_is_summed_up_only_where_something_came(self):
        Tally = self.env["easycrm.email.tally"]
        emails = [self.stranger(number) for number in (1, 2, 2)]
        mine = [("account", "=", self.mailbox.id)]
        with patch.object(easycrm_email_tally, "SUMMED_FROM", 1):
            Tally._sum_up()
            Tally.invalidate_model()
            before = Tally.search(mine)
            self.assertEqual(
                {(row.address, row.mails) for row in before},
                {("tobias1@union.example", 1), ("tobias2@union.example", 2)},
            )
            self.inbox().link_to(self.ids(emails[2]), "res.partner", self.bruno.id)
            self.assertEqual(Tally.search_count(mine), 3)
            Tally._sum_up()
            Tally.invalidate_model()
            after = Tally.search(mine)
            self.assertEqual((before & after).address, "tobias1@union.example")
            self.assertEqual((after - before).mapped("mails"), [1])
            Tally._sum_up()
            self.assertEqual(Tally.search(mine), after)
        self.assertTally()

    def test_many_senders_are_found_page_after_page(self):
        for number in range(7):
            self.stranger(number)
        with patch.object(easycrm_email_copy_groups, "LOOKED_AT", (2, 4)):
            pages = [
                self.inbox().unlinked_groups([], offset=offset, limit=3)
                for offset in (0, 3, 6)
            ]
        addresses = [group["address"] for page in pages for group in page["groups"]]
        self.assertEqual(
            addresses, [f"tobias{number}@union.example" for number in range(6, -1, -1)]
        )
        searched = self.inbox().unlinked_groups([("direction", "=", "inbound")])
        self.assertEqual(
            searched["groups"], [group for page in pages for group in page["groups"]]
        )
        self.assertEqual({page["total"] for page in pages}, {7})

    def test_it_is_grouped_by_domain_mailbox_or_date(self):
        team = self.connect(self.jonas, "team@ours.example", member_ids=self.mira.ids)
        self.stranger(1, subject="A", date=datetime(2026, 1, 26, 22, 30, tzinfo=UTC))
        self.stranger(2, subject="B", date=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
        self.stranger(3, subject="C", date=datetime(2026, 2, 1, 9, tzinfo=UTC))
        self.stranger(
            4,
            sender="Uli <uli@acme.example>",
            mailbox=team,
            subject="D",
            date=datetime(2026, 1, 30, 9, tzinfo=UTC),
        )
        for domain in ([], [("direction", "=", "inbound")]):
            with self.subTest(domain=domain):
                self.assertGroups(
                    "from_address",
                    [
                        (f"tobias{number}@union.example", "Tobias Wendt", 1)
                        for number in (3, 2)
                    ]
                    + [("uli@acme.example", "Uli", 1)]
                    + [("tobias1@union.example", "Tobias Wendt", 1)],
                    domain=domain,
                )
                self.assertGroups(
                    "from_domain",
                    [
                        ("union.example", "union.example", 3),
                        ("acme.example", "acme.example", 1),
                    ],
                    domain=domain,
                )
                self.assertGroups(
                    "account_id",
                    [
                        (str(self.mailbox.id), self.mailbox.name, 3),
                        (str(team.id), team.name, 1),
                    ],
                    domain=domain,
                )
                self.assertGroups(
                    "date:month",
                    [
                        ("2026-02-01", "February 2026", 2),
                        ("2026-01-01", "January 2026", 2),
                    ],
                    domain=domain,
                )
                self.assertGroups(
                    "date:day",
                    [
                        ("2026-02-01", "01 Feb 2026", 2),
                        ("2026-01-30", "30 Jan 2026", 1),
                        ("2026-01-26", "26 Jan 2026", 1),
                    ],
                    domain=domain,
                )
        self.inbox().ignore(self.inbox().unlinked_ids([])["ids"][:3])
        self.assertGroups("date:year", [("2026-01-01", "2026", 1)])
        self.assertGroups("date:year", [("2026-01-01", "2026", 3)], ignored=True)
        self.assertGroups(
            "account_id",
            [
                (str(self.mailbox.id), self.mailbox.name, 2),
                (str(team.id), team.name, 1),
            ],
            ignored=True,
        )
        # (of others it has nothing)
        for by in ("from_domain", "account_id", "date:year"):
            self.assertGroups(by, [], user=self.leonie)

    def test_a_week_begins_where_the_user_is(self):
        for subject, day, hour in (
            ("Sunday, in Berlin Monday", 4, 23),
            ("Sunday", 4, 9),
            ("Saturday", 3, 9),
        ):
            when = datetime(2026, 1, day, hour, 30, tzinfo=UTC)
            self.stranger(subject=subject, date=when)
        lang = self.env["res.lang"]._lang_get("en_US")
        lang.week_start = "1"
        self.assertGroups(
            "date:week", [("2026-01-05", "W2 2026", 1), ("2025-12-29", "W1 2026", 2)]
        )
        lang.week_start = "7"
        self.assertGroups(
            "date:week", [("2026-01-04", "W2 2026", 2), ("2025-12-28", "W1 2026", 1)]
        )
        self.assertGroups("date:quarter", [("2026-01-01", "Q1 2026", 3)])

    def test_only_the_groups_that_are_asked_for_are_told(self):
        for number in range(4):
            self.stranger(number)
        self.stranger(sender="")
        for by in ("from_address", "from_domain"):
            with self.subTest(by=by):
                every = self.inbox().unlinked_groups([], by=by)["groups"]
                some = every[::2]
                keys = [group["key"] for group in some]
                answer = self.inbox().unlinked_groups([], by=by, keys=[*keys, "x"])
                self.assertEqual(answer["groups"], some)
        self.assertEqual(self.inbox().unlinked_groups([], keys=[])["groups"], [])

    def test_the_first_groups_mails_come_with_the_groups(self):
        for number in (1, 2, 2, 2):
            self.stranger(number)
        inbox = self.inbox()
        self.assertIsNone(inbox.unlinked_groups([])["first"])
        for domain in ([], [("direction", "=", "inbound")]):
            answer = inbox.unlinked_groups(domain, first_rows=2)
            key = answer["groups"][0]["key"]
            page = inbox.unlinked_page(domain, limit=2, key=key)
            self.assertEqual(answer["first"], page)
            self.assertTrue(page["next"])
        nothing = inbox.unlinked_groups([("subject", "=", "x")], first_rows=2)
        self.assertIsNone(nothing["first"])

    def test_what_cannot_be_grouped_by_is_refused(self):
        for call in (
            lambda: self.inbox().unlinked_groups([], by="snippet"),
            lambda: self.inbox().unlinked_page([], key="x", by="email_id.subject"),
            lambda: self.inbox().unlinked_page([], key="x", by="account_id"),
            lambda: self.inbox().unlinked_ids([], key="yesterday", by="date:day"),
        ):
            with self.assertRaises(UserError):
                call()

    def test_pages_are_stable_while_new_mail_comes(self):
        for number in range(5):
            self.stranger(subject=f"Mail {number}")
        first = self.inbox().unlinked_page([], limit=2)
        self.stranger(subject="Just in")
        second = self.inbox().unlinked_page([], first["next"], limit=2)
        third = self.inbox().unlinked_page([], second["next"], limit=2)
        subjects = [
            row["subject"] for page in (first, second, third) for row in page["rows"]
        ]
        self.assertEqual(subjects, ["Mail 4", "Mail 3", "Mail 2", "Mail 1", "Mail 0"])
        self.assertIsNone(third["next"])

    def test_a_row_says_who_and_what(self):
        email = self.stranger(
            subject="Chairs", text="Forty please.", cc="Uli <uli@union.example>"
        )
        [row] = self.inbox().unlinked_page([])["rows"]
        self.assertEqual(row["id"], self.ids(email)[0])
        self.assertEqual(row["email_id"], email.id)
        self.assertEqual(row["from_name"], "Tobias Wendt")
        self.assertEqual(row["people"], "Tobias Wendt, +1")
        self.assertEqual(row["snippet"], "Forty please.")
        self.assertEqual(row["mailbox"], self.mailbox.name)
        self.assertEqual(row["direction"], "inbound")

    def test_the_search_bar_and_the_sender_narrow_it(self):
        self.stranger(1, subject="Chairs")
        self.stranger(2, subject="Tables")
        domain = [("subject", "ilike", "chair")]
        inbox = self.inbox()
        self.assertEqual(inbox.unlinked_groups(domain)["mails"], 1)
        self.assertEqual(len(inbox.unlinked_page(domain)["rows"]), 1)
        found = inbox.unlinked_ids([], address="tobias2@union.example")
        self.assertEqual((len(found["ids"]), found["total"]), (1, 1))

    def test_a_search_is_answered_not_compiled(self):
        inbox = self.inbox()
        for field in ("words", "people"):
            for method in ("unlinked_groups", "unlinked_ids", "unlinked_page"):
                with self.subTest(field=field, method=method):
                    self.cr.execute("SET LOCAL jit TO on")
                    getattr(inbox, method)([(field, "ilike", "tobias")])
                    self.cr.execute("SHOW jit")
                    self.assertEqual(self.cr.fetchone(), ("off",))

    def test_words_are_found_in_text_and_people(self):
        self.stranger(1, subject="Chairs", text="Forty of oak, please.")
        self.stranger(2, subject="Tables", cc="Uli Öhm <uli@union.example>")
        for words, count in (
            ("oak forty", 1),
            ("tobias", 2),
            ("tobias oak", 1),
            ("öhm", 1),
            ("öhm tables", 1),
            ("oak tables", 0),
            ("%", 0),
        ):
            with self.subTest(words=words):
                domain = [("words", "ilike", words)]
                self.assertEqual(self.inbox().unlinked_groups(domain)["mails"], count)
        domain = [("people", "ilike", "uli"), ("has_attachments", "=", False)]
        self.assertEqual(len(self.inbox().unlinked_page(domain)["rows"]), 1)

    def test_a_filter_of_ones_own_asks_as_any_other_field_is_asked(self):
        self.stranger(1, subject="Chairs")
        self.receive(self.mailbox, sender="news@shop.example", subject="Sale")
        for condition, count in (
            (("from_domain", "ilike", "UNION"), 1),
            (("from_domain", "not ilike", "union"), 1),
            (("from_domain", "=", "shop.example"), 1),
            (("from_domain", "!=", "shop.example"), 1),
            (("words", "=", False), 0),
            (("words", "!=", False), 2),
            (("words", "not ilike", "chairs"), 1),
            (("people", "=", False), 0),
            (("people", "!=", False), 2),
        ):
            with self.subTest(condition=condition):
                mails = self.inbox().unlinked_groups([condition])["mails"]
                self.assertEqual(mails, count)

    def count_queries(self, function):
        """Return the queries of the second call: the first looks up what stays."""
        for _time in range(2):
            function()
            self.cr.flush()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            function()
            count = self.cr.sql_log_count - before
        return count

    def test_lists_and_suggestions_take_a_fixed_number_of_queries(self):
        self.stranger(1, subject="Bestuhlung")
        inbox = self.inbox()

        def count_all():
            ids = inbox.unlinked_ids([])["ids"]
            return {
                "count": self.count_queries(lambda: inbox.unlinked_count()),
                "groups": self.count_queries(lambda: inbox.unlinked_groups([])),
                "page": self.count_queries(lambda: inbox.unlinked_page([])),
                "ids": self.count_queries(lambda: inbox.unlinked_ids([])),
                "suggest": self.count_queries(lambda: inbox.suggest_records(ids)),
            }

        self.env["res.partner"].create(
            {"name": "Union", "is_company": True, "email": "info@union.example"}
        )
        self.add_lead("Bestuhlung 0", self.mira, "lena@union.example")
        few = count_all()
        for number in range(20):
            self.stranger(number, subject=f"Bestuhlung {number}")
            self.add_lead(f"Bestuhlung {number}", self.mira, "uli@union.example")
        self.assertEqual(count_all(), few)
        most = {"count": 2, "groups": 5, "page": 5, "ids": 2, "suggest": 8}
        for name, count in few.items():
            self.assertLessEqual(count, most[name], few)
