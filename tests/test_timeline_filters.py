"""What is found on a timeline: by filters, by words, by people, as far as one reads."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_timeline_search
from .common import START, raw_mail
from .timeline_case import FilterCase

FILE = ("offer.pdf", "application/pdf", b"%PDF-1.4")


@tagged("post_install", "-at_install")
class TestFilters(FilterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.received = cls.receive(cls.mailbox, subject="Question")
        cls.filed = cls.receive(
            cls.mailbox,
            sender="bruno@beck.example",
            cc="anna@acme.example",
            subject="Plan",
            attachments=[FILE],
        )
        cls.sent = cls.send(cls.mailbox, subject="Answer", attachments=[FILE])

    def test_by_direction(self):
        self.assertFound(self.filed + self.received, direction="inbound")
        self.assertFound(self.sent, direction="outbound")

    def test_what_a_line_calls_sent_is_found_as_sent(self):
        by_colleague = self.receive(
            self.mailbox, sender="leonie@ours.example", cc="anna@acme.example"
        )
        lines = self.read_timeline(self.anna)
        self.assertEqual(lines[0]["direction"], "outbound")
        self.assertFound(by_colleague + self.sent, direction="outbound")
        self.assertNotIn(by_colleague.id, self.find(direction="inbound"))

    def test_by_attachments(self):
        self.assertFound(self.sent + self.filed, attachments=True)

    def test_attachments_that_are_not_shared_are_not_found(self):
        for level in ("subject", "metadata"):
            self.mailbox.share_level = level
            self.assertFound(self.sent.browse(), self.jonas, attachments=True)
            self.assertFound(self.sent + self.filed, attachments=True)

    def test_by_person(self):
        self.assertFound(self.filed, person="Bruno@Beck.example")
        self.assertFound(self.filed.browse(), person="nobody@beck.example")

    def test_together_all_must_hold(self):
        self.assertFound(self.filed, direction="inbound", attachments=True)
        self.assertFound(
            self.filed, direction="inbound", person="bruno@beck.example", search="plan"
        )
        self.assertFound(
            self.filed.browse(), direction="outbound", person="bruno@beck.example"
        )

    def test_who_was_in_bcc_is_found_by_the_sender_alone(self):
        secret = self.send(self.mailbox, bcc="chef@beck.example")
        for filters in ({"person": "chef@beck.example"}, {"search": "chef"}):
            self.assertFound(secret, **filters)
            self.assertFound(secret.browse(), self.jonas, **filters)
        addresses = [
            [one["address"] for one in self.as_user(self.anna, user).easycrm_people()]
            for user in (self.mira, self.jonas)
        ]
        self.assertIn("chef@beck.example", addresses[0])
        self.assertNotIn("chef@beck.example", addresses[1])

    def test_the_people_of_a_timeline_without_the_reader(self):
        people = self.as_user(self.anna, self.mira).easycrm_people()
        self.assertEqual(
            people,
            [
                {"name": "", "address": "anna@acme.example", "count": 3},
                {"name": "", "address": "bruno@beck.example", "count": 1},
            ],
        )
        with self.assertRaises(AccessError):
            self.as_user(self.anna, self.portal).easycrm_people()

    def test_counts_are_of_what_is_found(self):
        page = self.open(filters={"direction": "inbound"})
        self.assertEqual(page["count"], 2)
        self.assertEqual(page["conversation_count"], 2)
        self.assertEqual(page["looked_at"], 3)
        self.assertFalse(page["count_capped"])
        self.assertFalse(page["empty"])
        self.assertEqual(self.open()["conversation_count"], 3)

    def test_nothing_found_is_told_apart_from_nothing_there(self):
        page = self.open(filters={"search": "brandschutz"})
        self.assertEqual(page["conversations"], [])
        self.assertEqual(page["empty"], "filtered")
        self.assertEqual(page["looked_at"], 3)
        nobody = self.env["res.partner"].create({"name": "No address"})
        page = self.open(record=nobody, filters={"search": "brandschutz"})
        self.assertEqual(page["empty"], "no_address")

    def test_what_is_no_filter_is_told_in_words(self):
        for filters in (
            {"direction": "sideways"},
            {"direction": True},
            {"unknown": "x"},
            {"search": ["x"]},
            {"search": "x" * 201},
            {"search": "\u05c4\u05b0" * 200_000},
            {"person": 7},
            {"attachments": "yes"},
            [("search", "=", "x")],
            "search",
        ):
            with self.subTest(filters=filters), self.assertRaises(UserError):
                self.open(filters=filters)
        for filters in ({}, None, False, {"search": "", "direction": False}):
            self.assertEqual(self.open(filters=filters)["count"], 3)

    def test_a_conversation_opens_whole_though_a_part_of_it_was_found(self):
        root = "<root@acme.example>"
        raws = [
            raw_mail(subject="One", message_id=root),
            raw_mail(subject="Two", references=[root]),
        ]
        one, two = self.deliver(self.mailbox, *raws)
        page = self.open(filters={"search": "one"})
        [conversation] = page["conversations"]
        self.assertEqual([email["id"] for email in conversation["emails"]], one.ids)
        self.assertEqual(conversation["count"], 2)
        [whole] = self.open(thread_id=one.thread_id.id)["conversations"]
        self.assertEqual([email["id"] for email in whole["emails"]], (two + one).ids)


@tagged("post_install", "-at_install")
class TestPages(FilterCase):
    def fill(self, number, **parts):
        raws = [
            raw_mail(
                subject=f"{'Even' if i % 2 == 0 else 'Odd'} {i}",
                date=START + timedelta(minutes=i),
                **parts,
            )
            for i in range(number)
        ]
        return self.deliver(self.mailbox, *raws)[::-1]

    def test_pages_lose_and_double_nothing(self):
        emails = self.fill(140)
        even = emails.filtered(lambda email: email.subject.startswith("Even"))
        self.assertFound(even, search="even")
        self.assertFound(emails, direction="inbound")
        page = self.open(filters={"search": "even"})
        self.assertEqual(page["count"], 70)

    def test_of_a_company_each_email_stands_once(self):
        berta = self.env["res.partner"].create(
            {"name": "B", "email": "b@acme.example", "parent_id": self.acme.id}
        )
        self.follow_addresses()
        emails = self.fill(40, cc=berta.email)
        even = emails.filtered(lambda email: email.subject.startswith("Even"))
        self.assertFound(even, record=self.acme, search="even")
        page = self.open(record=self.acme, filters={"search": "even"})
        self.assertEqual(page["count"], 20)

    def test_a_page_looks_at_a_limited_number_and_the_next_goes_on_from_there(self):
        emails = self.fill(45)
        oldest = emails[-1:]
        with (
            patch.object(easycrm_email_timeline_search, "LOOKED_AT", 10),
            patch.object(easycrm_email_timeline_search, "LOOKED_AT_FIRST", 5),
        ):
            page = self.open(filters={"search": "0"})
            # nothing so far, and that is no "nothing found"
            self.assertEqual(page["conversations"], [])
            self.assertTrue(page["next"])
            self.assertFalse(page["empty"])
            self.assertTrue(page["count_capped"])
            self.assertFound(oldest, search="even 0")
            self.assertFound(emails, direction="inbound")


@tagged("post_install", "-at_install")
class TestWords(FilterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.offer = cls.receive(
            cls.mailbox,
            sender="Änne Müller-Lüdenscheidt <anna@acme.example>",
            subject="Rückfrage zum Angebot S04127",
            text="Die GRÖßE der Stühle, oak-green <b>passt</b>. See https://acme.example/x",
        )
        cls.japanese = cls.receive(
            cls.mailbox, subject="お見積りのお願い", text="会議室用チェア12脚の件です。"
        )

    def test_words_in_any_order_each_may_be_only_begun(self):
        for search in (
            "rückfrage",
            "RÜCKFRAGE",
            "ruckfrage",
            "angebot rückfrage",
            "ange rückfr",
            "s04127",
            "s041",
            "stühle rück",
            "größe",
            "oak-gre",
            "green",
            "passt",
            "acme.example/x",
            "  rückfrage\n zum\t — !",
            "Ru\u0308ckfrage",  # as some systems write it: u and two dots
        ):
            with self.subTest(search=search):
                self.assertFound(self.offer, search=search)
        for search in ("ückfrage", "rückfrage nichts", "-", "!!!", "🎉"):
            with self.subTest(search=search):
                self.assertFound(self.offer.browse(), search=search)

    def test_people_by_any_part_of_their_name_or_address(self):
        for search in (
            "änne",
            "müller",
            "lüdenscheidt",
            "scheidt änne",
            "Müller angebot",
        ):
            with self.subTest(search=search):
                self.assertFound(self.offer, search=search)
        self.assertFound(self.japanese + self.offer, search="anna@acme.example")
        self.assertFound(self.japanese + self.offer, search="acme mira")

    def test_scripts_without_spaces_are_searched_within(self):
        for search in ("見積り", "お願い", "チェア", "12脚", "チェア 見積り"):
            with self.subTest(search=search):
                self.assertFound(self.japanese, search=search)
        self.assertFound(self.japanese.browse(), search="会議室用机")

    def test_no_input_is_an_error(self):
        for search in (
            *(
                "'",
                '"',
                "\\",
                "\\'",
                "a'b",
                "& | !",
                "a & | b",
                "!a",
                "a:*",
                ":*",
                "<->",
            ),
            *("%", "_", "%s", "%(x)s", "a\\", "\0", "a\0b", "\ud800", "(", ")", "((("),
            *("🎉", "a" * 200, "' OR 1=1 --", "<" * 200, "* " * 100, "foo\\'bar:B"),
            *("\u200b", "a\u0301" * 60, "見%_\\"),
        ):
            with self.subTest(search=search):
                self.find(search=search)

    def test_wildcards_are_letters(self):
        odd = self.receive(self.mailbox, sender="100_% <anna@acme.example>")
        self.assertFound(odd, search="100_%")
        self.assertFound(odd.browse(), search="1%0")


@tagged("post_install", "-at_install")
class TestWhatIsShared(FilterCase):
    """A search tells no more than reading does."""

    def setUp(self):
        super().setUp()
        self.email = self.receive(
            self.mailbox,
            sender="Zenobia <anna@acme.example>",
            subject="Zugspitze 岩壁",
            text="Watzmann 雪渓",
        )

    def assertSearches(self, user, found, silent):
        for search in found:
            with self.subTest(search=search, user=user.login):
                self.assertFound(self.email, user, search=search)
        for search in silent:
            with self.subTest(search=search, user=user.login):
                page = self.open(user=user, filters={"search": search})
                self.assertEqual(page["conversations"], [])
                self.assertEqual(page["count"], 0)

    def test_each_level_finds_by_what_it_shows(self):
        people = ["zenobia", "anna@acme.example", "zeno"]
        subject = ["zugspitze", "zugsp", "zenobia zugspitze", "岩壁"]
        text = ["watzmann", "watz", "zugspitze watzmann", "雪渓"]
        for level, found, silent in (
            ("everything", people + subject + text, []),
            ("subject", people + subject, text),
            ("metadata", people, subject + text),
        ):
            self.mailbox.share_level = level
            self.assertSearches(self.jonas, found, silent)
            self.assertSearches(self.mira, people + subject + text, [])

    def test_of_private_mail_nothing_is_found(self):
        self.make_private(self.email)
        self.assertSearches(self.mira, ["zenobia", "watzmann"], [])
        self.assertSearches(self.jonas, [], ["zenobia", "zugspitze", "watzmann"])
        page = self.open(user=self.jonas, filters={"search": "x"})
        self.assertEqual(page["looked_at"], 0)
        self.assertFalse(page["next"])

    def test_what_was_taken_off_is_not_found(self):
        self.as_user(self.email.link_ids, self.mira).action_take_off()
        self.assertSearches(self.mira, [], ["zenobia", "watzmann"])

    def test_whom_a_record_is_not_for_may_not_search_it(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        for record, user in (
            (deal, self.jonas),
            (self.anna, self.portal),
            (self.anna, self.ingrid),
        ):
            with self.assertRaises(AccessError):
                self.open(record, user, filters={"search": "watzmann"})
