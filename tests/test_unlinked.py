from collections import defaultdict
from datetime import UTC, datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_copy_groups, easycrm_email_tally
from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.models.ingest_exclusions import Policy
from .common import MailCase, raw_mail


class UnlinkedCase(MailCase):
    """A test with mail of strangers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Copy = cls.env["easycrm.email.copy"]

    def inbox(self, user=None):
        return self.as_user(self.Copy, user or self.mira)

    def ids(self, *emails, mailbox=None):
        return [self.copy_in(mailbox or self.mailbox, email).id for email in emails]

    def stranger(self, number=1, mailbox=None, **parts):
        parts.setdefault("sender", f"Tobias Wendt <tobias{number}@union.example>")
        return self.receive(mailbox or self.mailbox, **parts)


@tagged("post_install", "-at_install")
class TestUnlinked(UnlinkedCase):
    """The lists of Unlinked Emails, and what is done with them."""

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

    def assertGroups(self, by, expected, user=None, **options):
        """Assert which groups there are, and that each has the mails that it counts.

        :param list expected: of (key, label, count), that of the newest mail first
        """
        inbox = self.inbox(user).with_context(tz="Europe/Berlin")
        found = inbox.unlinked_groups(options.pop("domain", []), by=by, **options)
        self.assertEqual(
            [(g["key"], g["label"], g["count"]) for g in found["groups"]], expected
        )
        self.assertEqual(found["total"], len(expected))
        self.assertEqual(found["mails"], sum(count for *_, count in expected))
        for group in found["groups"]:
            chosen = {**options, "by": by, "key": group["key"]}
            rows = inbox.unlinked_page([], **chosen)["rows"]
            self.assertEqual(len(rows), group["count"])
            self.assertEqual(rows[0]["date"], group["latest"])
            self.assertEqual(rows[0]["subject"], group["subject"])
            self.assertEqual(rows[0]["from_address"], group["address"])
            ids = inbox.unlinked_ids([], **chosen)
            self.assertEqual(ids["ids"], [row["id"] for row in rows])
            one = inbox.unlinked_groups([], by=by, keys=[group["key"]], **options)
            self.assertEqual((one["groups"], one["total"]), ([group], 1))
            self.assertEqual(one["mails"], group["count"])

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

    def test_a_new_record_is_filled_from_the_mail(self):
        email = self.stranger(
            subject="Chairs",
            text="Hello\n\nTobias Wendt\nUnion GmbH · Berlin\nTel. +49 30 5550 7120",
        )
        filled = self.inbox().new_record_defaults(self.ids(email), "res.partner")
        context = filled.pop("context")
        self.assertEqual(
            filled,
            {
                "name": "Tobias Wendt",
                "email": "tobias1@union.example",
                "phone": "+49 30 5550 7120",
                "company": "Union GmbH",
            },
        )
        self.assertEqual(context["default_company_name"], "Union GmbH")
        union = self.env["res.partner"].create(
            {"name": "Union GmbH", "is_company": True}
        )
        filled = self.inbox().new_record_defaults(self.ids(email), "res.partner")
        self.assertEqual(filled["context"]["default_parent_id"], union.id)
        filled = self.inbox().new_record_defaults(self.ids(email), "crm.lead")
        context = filled["context"]
        self.assertEqual(context["default_name"], "Chairs")
        self.assertEqual(context["default_contact_name"], "Tobias Wendt")
        self.assertEqual(context["default_partner_name"], "Union GmbH")
        self.assertEqual(context["default_email_from"], "tobias1@union.example")
        lead = (
            self.env["crm.lead"].with_user(self.mira).with_context(**context).create({})
        )
        self.cr.flush()
        self.assertLinked(email, [lead])

    def test_linking_puts_mails_on_a_record_and_undo_takes_them_back(self):
        emails = self.stranger(1) | self.stranger(2)
        lead = self.add_lead("40 chairs", self.mira)
        done = self.inbox().link_to(self.ids(*emails), "crm.lead", lead.id)
        self.assertEqual(done["count"], 2)
        self.assertEqual(done["message"], "2 mails linked to 40 chairs")
        for email in emails:
            self.assertLinked(email, [lead])
        self.assertEqual(self.inbox().unlinked_count(), 0)
        self.assertEqual(self.inbox().undo(done["batch"])["count"], 2)
        for email in emails:
            self.assertLinked(email, [])
        self.assertEqual(self.inbox().unlinked_count(), 2)
        again = self.inbox().undo(done["batch"])
        self.assertEqual(again, {"count": 0, "message": "This was undone already."})

    def test_ignoring_and_bringing_back(self):
        emails = self.stranger(1) | self.stranger(2)
        done = self.inbox().ignore(self.ids(emails[0]), "these")
        self.assertEqual(done["count"], 1)
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.assertEqual(self.inbox().unlinked_groups([], ignored=True)["mails"], 1)
        back = self.inbox().bring_back(self.ids(emails[0]))
        self.assertEqual(back["count"], 1)
        self.assertEqual(self.inbox().unlinked_count(), 2)
        self.inbox().undo(back["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.inbox().undo(done["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 2)

    def test_suggestions_have_their_reasons(self):
        union = self.env["res.partner"].create(
            {"name": "Union", "is_company": True, "email": "info@union.example"}
        )
        lead = self.add_lead("Bestuhlung Filialen", self.mira, "lena@union.example")
        email = self.stranger(subject="Bestuhlung, 2. Stand")
        found = self.inbox().suggest_records(self.ids(email))
        cards = {(card["model"], card["id"]): card for card in found["suggested"]}
        self.assertIn(
            "Same domain: union.example", cards["res.partner", union.id]["reasons"]
        )
        self.assertIn("Subject: bestuhlung", cards["crm.lead", lead.id]["reasons"])
        self.inbox().link_to(self.ids(email), "res.partner", self.bruno.id)
        recent = self.inbox().suggest_records(self.ids(self.stranger()))["recent"]
        self.assertEqual([card["id"] for card in recent], [self.bruno.id])

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

    def test_one_search_finds_contacts_leads_and_opportunities(self):
        lead = self.add_lead("Union chairs", self.mira)
        union = self.env["res.partner"].create({"name": "Union", "is_company": True})
        cards = self.inbox().find_records("union")
        self.assertEqual(
            [(card["kind"], card["id"]) for card in cards],
            [("opportunity", lead.id), ("company", union.id)],
        )

    def test_nobody_gets_at_others_mail_by_its_id(self):
        theirs = self.ids(
            self.stranger(mailbox=self.jonas_mailbox), mailbox=self.jonas_mailbox
        )
        mine = self.inbox()
        for call in (
            lambda: mine.link_to(theirs, "res.partner", self.bruno.id),
            lambda: mine.ignore(theirs, "these"),
            lambda: mine.bring_back(theirs),
            lambda: mine.suggest_records(theirs),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertEqual(mine.unlinked_count(), 0)
        self.assertEqual(mine.unlinked_groups([])["groups"], [])
        self.assertEqual(mine.unlinked_page([])["rows"], [])
        self.assertEqual(mine.unlinked_ids([])["ids"], [])

    def test_a_record_that_one_cannot_read_is_refused(self):
        lead = self.add_lead("Not yours", self.jonas)
        ids = self.ids(self.stranger())
        with self.assertRaises(AccessError):
            self.inbox().link_to(ids, "crm.lead", lead.id)
        with self.assertRaises(AccessError):
            self.inbox().link_to(ids, "res.users", self.mira.id)


@tagged("post_install", "-at_install")
class TestTeaching(UnlinkedCase):
    """What is linked from now on: the count before is what happens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.union = cls.env["res.partner"].create({"name": "Union", "is_company": True})
        cls.lena = cls.env["res.partner"].create(
            {"name": "Lena Hartmann", "parent_id": cls.union.id}
        )
        cls.cr.flush()

    def link(self, *emails, record=None):
        record = record or self.lena
        done = self.inbox().link_to(self.ids(*emails), record._name, record.id)
        options = {option["scope"]: option for option in done["question"]["options"]}
        return done, options

    def assertTaught(self, done, scope, count):
        """Teach; assert that as many leave the list, and come back by one Undo."""
        before = self.inbox().unlinked_count()
        taught = self.inbox().teach(done["batch"], scope)
        self.assertEqual(taught["count"], count)
        self.assertEqual(taught["batch"], done["batch"])
        self.assertEqual(self.inbox().unlinked_count(), before - count)

    def test_the_counts_are_what_happens_and_one_undo_is_for_all(self):
        first = self.stranger(1, subject="One")
        self.receive(
            self.mailbox,
            sender="other@elsewhere.example",
            references=[first.message_id],
            subject="Re: One",
        )
        for number in range(2):
            self.stranger(1, subject=f"Further {number}")
        self.stranger(2, subject="Colleague")
        self.stranger(3, sender="new@sub.union.example", subject="Below")
        total = self.inbox().unlinked_count()
        for scope, count in (("thread", 1), ("address", 2), ("domain", 4)):
            with self.subTest(scope=scope):
                done, options = self.link(first)
                self.assertFalse(options[scope]["disabled"], options[scope]["why"])
                self.assertEqual(options[scope]["count"], count)
                self.assertTaught(done, scope, count)
                self.inbox().undo(done["batch"])
                self.assertEqual(self.inbox().unlinked_count(), total)
                for model in ("thread.follow", "rule"):
                    self.assertFalse(self.env[f"easycrm.email.{model}"].search([]))

    def test_a_conversation_that_was_put_somewhere_never_looks_private(self):
        self.mailbox.ignore_private = True
        first = self.stranger(1)
        done, _options = self.link(first)
        self.inbox().teach(done["batch"], "thread")
        private = {"subject": "Payroll", "references": [first.message_id]}
        answer = self.receive(self.mailbox, sender="pay@elsewhere.example", **private)
        self.assertLinked(answer, [self.lena])
        self.jonas_mailbox.ignore_private = True
        self.receive(self.jonas_mailbox, sender="other@elsewhere.example", **private)
        out = self.env["easycrm.email.exclusion"].search([])
        self.assertEqual(out.account_id, self.jonas_mailbox, "he has taught nothing")

    def test_a_conversation_goes_on_where_it_was_put(self):
        first = self.stranger(1)
        done, _options = self.link(first)
        self.inbox().teach(done["batch"], "thread")
        answer = self.receive(
            self.mailbox,
            sender="someone@elsewhere.example",
            references=[first.message_id],
        )
        self.assertLinked(answer, [self.lena])
        self.assertEqual(answer.link_ids.origin, "rule")
        self.inbox().undo(done["batch"])
        self.assertLinked(answer, [])
        self.assertLinked(
            self.receive(
                self.mailbox,
                sender="someone@elsewhere.example",
                references=[first.message_id],
            ),
            [],
        )

    def test_an_address_finds_what_comes(self):
        done, _options = self.link(self.stranger(1))
        self.inbox().teach(done["batch"], "address")
        row = self.env["easycrm.email.address"].search(
            [("partner_id", "=", self.lena.id)]
        )
        self.assertEqual((row.address, row.source), ("tobias1@union.example", "extra"))
        self.assertLinked(self.stranger(1), [self.lena])
        self.inbox().undo(done["batch"])
        self.assertFalse(row.exists())
        self.assertLinked(self.stranger(1), [])

    def test_a_lead_gets_an_address_of_its_own(self):
        lead = self.add_lead("Chairs", self.mira)
        done, options = self.link(self.stranger(1), record=lead)
        self.assertTrue(options["domain"]["disabled"])
        self.inbox().teach(done["batch"], "address")
        self.assertLinked(self.stranger(1), [lead])

    def test_a_domain_goes_to_the_company_but_not_beside_its_people(self):
        done, _options = self.link(self.stranger(1))
        self.inbox().teach(done["batch"], "domain")
        self.assertLinked(self.stranger(7), [self.union])
        self.assertLinked(
            self.send(self.mailbox, to="tobias8@union.example"), [self.union]
        )
        self.lena.email = "lena@union.example"
        self.follow_addresses()
        self.assertLinked(self.stranger(sender="lena@union.example"), [self.lena])
        # it is one's own: others' mail stays where it is
        theirs = self.stranger(9, mailbox=self.jonas_mailbox)
        self.assertLinked(theirs, [])

    def test_what_cannot_be_taught_says_why(self):
        done, options = self.link(self.stranger(sender="tobias@gmail.com"))
        self.assertIn("gmail.com", options["domain"]["why"])
        self.assertEqual(options["domain"]["count"], 0)
        with self.assertRaises(UserError):
            self.inbox().teach(done["batch"], "domain")
        with self.assertRaises(UserError):
            self.inbox().teach(done["batch"], "everything")
        _done, options = self.link(self.stranger(sender="jonas@ours.example"))
        self.assertTrue(options["address"]["disabled"])
        self.assertTrue(options["domain"]["disabled"])
        _done, options = self.link(self.stranger(1), record=self.bruno)
        self.assertIn("no company", options["domain"]["why"])

    def test_only_its_author_teaches_or_undoes_a_step(self):
        done, _options = self.link(self.stranger(1))
        for call in (
            lambda: self.inbox(self.jonas).teach(done["batch"], "thread"),
            lambda: self.inbox(self.jonas).undo(done["batch"]),
            lambda: self.inbox(self.jonas).undo(0),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_what_was_undone_teaches_nothing(self):
        done, _options = self.link(self.stranger(1))
        self.inbox().undo(done["batch"])
        with self.assertRaises(UserError):
            self.inbox().teach(done["batch"], "thread")

    def test_undo_after_the_record_was_deleted_says_so(self):
        lead = self.add_lead("Chairs", self.mira)
        email = self.stranger(1)
        done, _options = self.link(email, record=lead)
        self.inbox().teach(done["batch"], "address")
        lead.unlink()
        self.assertLinked(email, [])
        undone = self.inbox().undo(done["batch"])
        self.assertEqual(undone["count"], 0)
        self.assertIn("Chairs", undone["message"])

    def test_a_sender_is_ignored_from_now_on_and_undo_forgets_it(self):
        emails = [self.stranger(1), self.stranger(1), self.stranger(2)]
        done = self.inbox().ignore(self.ids(emails[0]), "address")
        self.assertEqual(done["count"], 2)
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.stranger(1)
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.inbox().undo(done["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 4)
        self.stranger(1)
        self.assertEqual(self.inbox().unlinked_count(), 5)

    def test_a_domain_is_ignored_but_not_a_public_one(self):
        email = self.stranger(1)
        self.stranger(2)
        done = self.inbox().ignore(self.ids(email), "domain")
        self.assertEqual(done["count"], 2)
        self.stranger(3, sender="x@mail.union.example")
        self.assertEqual(self.inbox().unlinked_count(), 0)
        public = self.stranger(sender="tobias@gmail.com")
        with self.assertRaises(UserError):
            self.inbox().ignore(self.ids(public), "domain")

    def test_what_was_taken_off_comes_back_by_hand_only(self):
        email = self.stranger(1)
        self.link(email)
        link = email.link_ids
        self.as_user(link, self.mira).action_take_off()
        self.assertLinked(email, [])
        self.assertEqual(self.inbox().unlinked_count(), 1)
        other, options = self.link(self.stranger(1))
        self.assertEqual(options["address"]["count"], 0)
        self.inbox().teach(other["batch"], "address")
        self.assertLinked(email, [])
        self.link(email)
        self.assertLinked(email, [self.lena])

    def test_the_last_link_off_is_back_here_also_if_it_was_ignored(self):
        email = self.stranger(1)
        self.inbox().ignore(self.ids(email), "address")
        done = self.inbox().link_to(self.ids(email), "res.partner", self.lena.id)
        self.assertEqual(done["count"], 1)
        ignored = self.stranger(1)
        self.assertEqual(self.inbox().unlinked_count(), 0)
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.lena.email = "tobias1@union.example"
        self.follow_addresses()
        self.assertLinked(ignored, [self.lena])
        self.as_user(ignored.link_ids, self.mira).action_take_off()
        self.assertEqual(self.inbox().unlinked_count(), 2)

    def test_what_was_done_is_told_on_the_mail(self):
        email = self.stranger(1)
        done, _options = self.link(email)
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.inbox().undo(done["batch"])
        told = self.as_user(email, self.mira).easycrm_history()
        self.assertEqual([step["kind"] for step in told], ["take_off", "link"])
        self.assertEqual({step["who"] for step in told}, {"You"})
        self.assertIn("Lena Hartmann", told[1]["sentence"])
        self.assertEqual([step["can_undo"] for step in told], [True, False])
        self.assertIn("undone by you", told[1]["undone"])
        self.inbox().undo(told[0]["batch"])
        self.assertLinked(email, [self.lena])

    def test_what_others_did_is_told_to_holders_and_names_no_hidden_record(self):
        raw = raw_mail(sender="x@union.example", to="mira@ours.example")
        [email] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        hidden = self.add_lead("Not yours", self.mira)
        self.link(email, record=hidden)
        self.link(email)
        told = self.as_user(email, self.jonas).easycrm_history()
        self.assertEqual(
            [step["sentence"] for step in told], ["Linked to Union, Lena Hartmann"]
        )
        self.assertEqual(told[0]["who"], "Mira Maas")
        self.assertFalse(told[0]["can_undo"])
        self.assertEqual(self.as_user(email, self.leonie).easycrm_history(), [])

    def test_why_says_who_put_it_there(self):
        email = self.stranger(1)
        done, _options = self.link(email)
        self.inbox().teach(done["batch"], "thread")
        answer = self.receive(
            self.mailbox, sender="x@y.example", references=[email.message_id]
        )
        self.assertIn("Put here by Mira Maas", email.link_ids.reason)
        self.assertIn("conversation was put here by Mira", answer.link_ids.reason)

    def test_undo_makes_a_tombstone_one_again(self):
        email = self.stranger(1)
        self.link(email)
        link = email.link_ids
        self.as_user(link, self.mira).action_take_off()
        done, _options = self.link(email)
        self.inbox().undo(done["batch"])
        self.assertTrue(link.removed)
        self.assertEqual(link.write_uid, self.mira)
        self.as_user(link, self.mira).action_put_back()
        self.assertLinked(email, [self.lena])

    def test_linked_twice_it_stands_there_once(self):
        email = self.stranger(1)
        self.link(email)
        again = self.inbox().link_to(self.ids(email), "res.partner", self.lena.id)
        self.assertEqual(again["count"], 0)
        self.assertEqual(again["message"], "Linked to Union, Lena Hartmann already")
        self.inbox().undo(again["batch"])
        self.assertLinked(email, [self.lena])
        self.link(email, record=self.bruno)
        self.assertLinked(email, [self.lena, self.bruno])

    def test_merged_records_keep_what_was_taught(self):
        first = self.stranger(1)
        done, _options = self.link(first)
        self.inbox().teach(done["batch"], "thread")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge([self.lena.id, self.bruno.id], self.bruno)
        answer = self.receive(
            self.mailbox, sender="x@y.example", references=[first.message_id]
        )
        self.assertLinked(answer, [self.bruno])

    def test_undo_leaves_an_address_that_is_in_the_email_field_since(self):
        done, _options = self.link(self.stranger(1))
        self.inbox().teach(done["batch"], "address")
        taught = self.stranger(1)
        self.lena.email = "tobias1@union.example"
        self.follow_addresses()
        self.inbox().undo(done["batch"])
        self.assertLinked(taught, [self.lena])
        self.assertLinked(self.stranger(1), [self.lena])

    def test_undo_brings_back_what_the_rule_has_ignored_since(self):
        first, other = self.stranger(1), self.stranger(1)
        kept_off = self.inbox().ignore(self.ids(other))
        done = self.inbox().ignore(self.ids(first), "address")
        self.assertEqual(self.inbox().unlinked_count(), 0)
        self.stranger(1)
        self.assertEqual(self.inbox().unlinked_count(), 0)
        undone = self.inbox().undo(done["batch"])
        self.assertEqual(undone["count"], 2)
        self.assertEqual(self.inbox().unlinked_count(), 2)
        self.inbox().undo(kept_off["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 3)

    def test_undo_brings_nothing_back_that_another_rule_ignores(self):
        by_domain = self.inbox().ignore(self.ids(self.stranger(1)), "domain")
        self.stranger(2)
        self.inbox().bring_back(self.inbox().unlinked_ids([], ignored=True)["ids"])
        by_address = self.inbox().ignore(self.ids(self.stranger(2)), "address")
        self.stranger(2)
        self.inbox().undo(by_address["batch"])
        ignored = self.inbox().unlinked_ids([], ignored=True)
        self.assertEqual(ignored["total"], 2)
        self.inbox().undo(by_domain["batch"])
        self.assertEqual(self.inbox().unlinked_ids([], ignored=True)["total"], 0)

    def test_a_rule_for_a_company_that_is_hidden_names_it_to_nobody(self):
        done, _options = self.link(self.stranger(1))
        self.inbox().teach(done["batch"], "domain")
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        acme = self.env["res.partner"].create({"name": "Acme", "is_company": True})
        self.union.company_id = elsewhere
        _done, options = self.link(
            self.stranger(sender="x@sub.union.example"), record=acme
        )
        self.assertTrue(options["domain"]["disabled"])
        self.assertNotIn("Union", options["domain"]["why"])

    def test_an_address_also_places_what_was_ignored_and_counts_it(self):
        first, ignored = self.stranger(1), self.stranger(1, subject="Ignored")
        self.stranger(1)
        thread = self.receive(
            self.mailbox, sender="x@y.example", references=[first.message_id]
        )
        self.inbox().ignore(self.ids(ignored, thread))
        done, options = self.link(first)
        self.assertEqual(options["address"]["count"], 2)
        self.assertEqual(self.inbox().teach(done["batch"], "address")["count"], 2)
        self.assertLinked(ignored, [self.lena])
        # in a conversation, or from a domain, what was ignored stays so
        self.assertEqual(options["thread"]["count"], 0)
        self.assertEqual(options["domain"]["count"], 1)
        self.inbox().teach(done["batch"], "thread")
        self.assertLinked(thread, [])
        self.inbox().undo(done["batch"])
        self.assertLinked(ignored, [])
        self.assertEqual(self.inbox().unlinked_groups([], ignored=True)["mails"], 2)

    def test_others_mail_of_a_taught_address_follows_but_is_not_counted(self):
        theirs = self.stranger(1, mailbox=self.jonas_mailbox)
        done, options = self.link(self.stranger(1))
        self.assertEqual(options["address"]["count"], 0)
        self.assertEqual(self.inbox().teach(done["batch"], "address")["count"], 0)
        self.assertLinked(theirs, [self.lena])
        undone = self.inbox().undo(done["batch"])
        self.assertEqual(undone["count"], 1)
        self.assertLinked(theirs, [])

    def test_what_a_member_teaches_counts_in_the_team_s_mailbox(self):
        team = self.connect(self.jonas, "team@ours.example", member_ids=self.mira.ids)
        first = self.stranger(1, mailbox=team)
        inbox = self.inbox()
        ids = self.ids(first, mailbox=team)
        done = inbox.link_to(ids, "res.partner", self.lena.id)
        inbox.teach(done["batch"], "domain")
        self.assertLinked(self.stranger(2, mailbox=team), [self.union])
        spam = self.stranger(sender="spam@offers.example", mailbox=team)
        inbox.ignore(self.ids(spam, mailbox=team), "address")
        self.stranger(sender="spam@offers.example", mailbox=team)
        self.assertEqual(self.inbox().unlinked_count(), 0)
        self.assertEqual(self.inbox(self.jonas).unlinked_count(), 0)
        # whoever has left the team teaches it nothing
        team.member_ids = False
        self.assertLinked(self.stranger(3, mailbox=team), [])
        self.stranger(sender="spam@offers.example", mailbox=team)
        self.assertEqual(self.inbox(self.jonas).unlinked_count(), 2)

    def test_those_that_a_choice_also_places_can_be_looked_at(self):
        first = self.stranger(1)
        for number in range(2):
            self.stranger(1, subject=f"Further {number}")
        self.stranger(3, sender="new@sub.union.example", subject="Below")
        self.send(self.mailbox, to="tobias8@union.example", subject="Sent")
        self.receive(
            self.mailbox,
            sender="other@elsewhere.example",
            references=[first.message_id],
            subject="Answer",
        )
        # a colleague has sent it, and she has got a copy
        raw = raw_mail(
            sender="jonas@ours.example",
            to="tobias9@union.example",
            cc="mira@ours.example",
            subject="Colleague’s",
        )
        self.deliver(self.jonas_mailbox, raw, stream="Sent")
        self.deliver(self.mailbox, raw)
        done, options = self.link(first)
        for scope, subjects in (
            ("these", []),
            ("thread", ["Answer"]),
            ("address", ["Further 1", "Further 0"]),
            ("domain", ["Colleague’s", "Sent", "Below", "Further 1", "Further 0"]),
        ):
            with self.subTest(scope=scope):
                rows = self.inbox().find_others(done["batch"], scope)["rows"]
                self.assertEqual([row["subject"] for row in rows], subjects)
                self.assertEqual(options[scope]["count"], len(rows))
        [row] = self.inbox().find_others(done["batch"], "domain", limit=1)["rows"]
        self.assertEqual(row["subject"], "Colleague’s")
        with self.assertRaises(AccessError):
            self.inbox(self.jonas).find_others(done["batch"], "thread")

    def test_nothing_is_suggested_that_is_another_company_s(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.mira.company_ids += elsewhere
        self.env["res.partner"].create(
            [
                {"name": "Tobias Wendt", "company_id": elsewhere.id},
                {"name": "Tobias Wendt"},
            ]
        )
        self.add_lead(
            "Chairs", self.mira, "lena@union.example", company_id=elsewhere.id
        )
        ids = self.ids(self.stranger(1))
        cards = self.inbox().suggest_records(ids)["suggested"]
        self.assertEqual([card["name"] for card in cards], ["Tobias Wendt"])
        self.inbox().link_to(ids, "res.partner", cards[0]["id"])

    def test_mail_that_was_just_being_stored_is_placed_a_minute_later(self):
        by_thread, by_domain, spam = (
            self.stranger(1),
            self.stranger(sender="x@acme.example"),
            self.stranger(sender="spam@offers.example"),
        )
        done, _options = self.link(by_thread)
        self.inbox().teach(done["batch"], "thread")
        done, _options = self.link(by_domain)
        self.inbox().teach(done["batch"], "domain")
        ignoring = self.inbox().ignore(self.ids(spam), "address")
        back = self.stranger(sender="spam@offers.example")
        self.inbox().bring_back(self.ids(back))
        # (a transaction that has begun before sees nothing of it)
        unseen = Policy(defaultdict(dict), False, False, False)
        with patch.object(Ingest, "_read_policy", return_value=unseen):
            answer = self.receive(
                self.mailbox,
                sender="someone@elsewhere.example",
                references=[by_thread.message_id],
            )
            other = self.stranger(sender="y@acme.example")
            offer = self.stranger(sender="spam@offers.example")
        self.assertEqual(self.inbox().unlinked_count(), 4)
        Batch = self.env["easycrm.email.batch"]
        self.assertFalse(Batch._look_again_due())
        Batch.search([("again_at", "!=", False)]).again_at = "2025-01-01 00:00:00"
        while Batch._look_again_due():
            self.env.flush_all()
        self.assertLinked(answer, [self.lena])
        self.assertLinked(other, [self.union])
        self.assertTrue(offer.copy_ids.ignored)
        self.assertFalse(back.copy_ids.ignored)
        self.inbox().undo(ignoring["batch"])
        self.assertFalse(offer.copy_ids.ignored)
