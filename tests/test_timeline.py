"""What the Activity Timeline of a record answers."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_timeline
from ..easycrm_mail.models.easycrm_email_timeline_values import PEOPLE_NAMED
from .common import START, raw_mail
from .timeline_case import TimelineCase


@tagged("post_install", "-at_install")
class TestTimeline(TimelineCase):
    def test_newest_first_folded_by_conversation(self):
        raws = [
            raw_mail(subject="Order", message_id="<1@acme.example>"),
            raw_mail(subject="Invoice"),
            raw_mail(subject="Re: Order", references=["<1@acme.example>"]),
        ]
        self.deliver(self.mailbox, *raws)
        page = self.open(self.anna)
        folded = [
            [email["subject"] for email in conversation["emails"]]
            for conversation in page["conversations"]
        ]
        self.assertEqual(folded, [["Re: Order", "Order"], ["Invoice"]])
        self.assertEqual([c["count"] for c in page["conversations"]], [2, 1])
        self.assertEqual(page["count"], 3)
        self.assertFalse(page["count_capped"])
        self.assertFalse(page["next"])
        self.assertFalse(page["empty"])
        self.assertEqual(page["notices"], [])

    def test_a_line_says_who_when_and_what(self):
        raw = raw_mail(
            sender="Anna Berg <anna@acme.example>",
            to="Mira Maas <mira@ours.example>, bruno@beck.example",
            cc="Somebody <x@far.example>",
            subject="Offer",
            text="Please find it attached.",
            date=START,
            attachments=[("offer.pdf", "application/pdf", b"%PDF-1.4")],
        )
        [email] = self.deliver(self.mailbox, raw, is_read=False)
        file = email.attachment_line_ids
        [line] = self.read_timeline(self.anna)
        self.assertEqual(
            line,
            {
                "id": email.id,
                "thread_id": email.thread_id.id,
                "date": "2026-03-02 08:00:00",
                "direction": "inbound",
                "from": {
                    "name": "Anna Berg",
                    "address": "anna@acme.example",
                    "me": False,
                    "partner_id": self.anna.id,
                },
                "to": [
                    {
                        "name": "Mira Maas",
                        "address": "mira@ours.example",
                        "me": True,
                        "partner_id": self.mira.partner_id.id,
                    },
                    {
                        "name": "",
                        "address": "bruno@beck.example",
                        "me": False,
                        "partner_id": self.bruno.id,
                    },
                ],
                "cc": [
                    {
                        "name": "Somebody",
                        "address": "x@far.example",
                        "me": False,
                        "partner_id": False,
                    }
                ],
                "bcc": [],
                "more_people": 0,
                "subject": "Offer",
                "snippet": "Please find it attached.",
                "auto_reply": False,
                "bounces": [],
                "opened_at": False,
                "large": False,
                "level": "everything",
                "sharers": [],
                "shared": "everything",
                "attachments": [
                    {
                        "id": file.id,
                        "name": "offer.pdf",
                        "mimetype": "application/pdf",
                        "size": 8,
                        "url": f"/easycrm_mail/attachment/{file.id}",
                    }
                ],
                "is_read": False,
                "versions": [],
            },
        )
        [line] = self.read_timeline(self.anna, self.jonas)
        self.assertIsNone(line["is_read"])
        self.assertFalse(line["to"][0]["me"])

    def test_of_a_mail_to_thousands_some_are_named_and_the_others_counted(self):
        named = PEOPLE_NAMED
        others = ", ".join(f"p{number}@many.example" for number in range(named * 2))
        few = ", ".join(f"c{number}@many.example" for number in range(named))
        self.receive(self.mailbox, to=f"{others}, mira@ours.example", cc=few)
        [line] = self.read_timeline(self.anna, self.mira)
        self.assertEqual((len(line["to"]), len(line["cc"])), (named, named))
        self.assertEqual([one["me"] for one in line["to"]].count(True), 1)
        self.assertEqual(line["more_people"], named + 1)

    def test_a_line_shows_what_its_share_level_allows(self):
        self.receive(
            self.mailbox,
            subject="Offer",
            text="Secret.",
            attachments=[("offer.pdf", "application/pdf", b"%PDF-1.4")],
        )
        for level, subject, snippet, files, sharers in (
            ("everything", "Offer", "Secret.", 1, []),
            ("subject", "Offer", False, 0, ["Mira Maas"]),
            ("metadata", False, False, 0, ["Mira Maas"]),
        ):
            self.mailbox.share_level = level
            with self.subTest(level=level):
                [line] = self.read_timeline(self.anna, self.jonas)
                self.assertEqual(line["level"], level)
                self.assertEqual(line["subject"], subject)
                self.assertEqual(line["snippet"], snippet)
                self.assertEqual(len(line["attachments"]), files)
                self.assertEqual(line["sharers"], sharers)
                self.assertEqual(line["from"]["address"], "anna@acme.example")
                self.assertIsNone(line["shared"], "that is its owner's to know")
                [line] = self.read_timeline(self.anna)
                self.assertEqual((line["level"], line["shared"]), ("everything", level))

    def test_where_the_administrators_limit_hides_the_rest_nobody_is_named(self):
        self.mailbox.share_level = "everything"
        self.receive(self.mailbox, subject="Offer")
        self.env["ir.config_parameter"].set_param("easycrm_mail.share_limit", "subject")
        [line] = self.read_timeline(self.anna, self.jonas)
        self.assertEqual((line["level"], line["sharers"]), ("subject", []))
        [line] = self.read_timeline(self.anna)
        self.assertEqual((line["level"], line["shared"]), ("everything", "subject"))
        self.mailbox.share_level = "metadata"
        [line] = self.read_timeline(self.anna, self.jonas)
        self.assertEqual((line["level"], line["sharers"]), ("metadata", ["Mira Maas"]))

    def test_images_within_the_text_are_no_attachments(self):
        email = self.receive(
            self.mailbox,
            html='<img src="cid:logo">',
            attachments=[("logo.png", "image/png", b"x", "logo")],
        )
        self.assertTrue(email.attachment_line_ids.inline)
        self.assertFalse(email.has_attachments)
        [line] = self.read_timeline(self.anna)
        self.assertEqual(line["attachments"], [])

    # --- companies ---

    def test_a_company_shows_its_peoples_mail_once(self):
        colleague = self.env["res.partner"].create(
            {"name": "Carl", "email": "carl@acme.example", "parent_id": self.acme.id}
        )
        self.follow_addresses()
        self.receive(self.mailbox, subject="To both", cc="carl@acme.example")
        self.receive(self.mailbox, subject="To Anna")
        self.receive(self.mailbox, subject="Other", sender="bruno@beck.example")
        self.assertTimeline(self.acme, ["To Anna", "To both"])
        self.assertTimeline(colleague, ["To both"])
        self.assertEqual(self.as_user(self.acme, self.mira).easycrm_email_count, 2)
        page = self.open(self.acme)
        self.assertEqual([c["count"] for c in page["conversations"]], [1, 1])

    def test_a_contact_that_changes_company_takes_its_mail_along(self):
        self.receive(self.mailbox, subject="Hello")
        other = self.env["res.partner"].create({"name": "Other", "is_company": True})
        self.anna.parent_id = other
        self.assertTimeline(self.acme, [])
        self.assertTimeline(other, ["Hello"])

    def test_what_is_taken_off_the_person_leaves_the_company(self):
        email = self.receive(self.mailbox)
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.assertTimeline(self.acme, [], self.mira)
        self.assertEqual(self.as_user(self.acme, self.mira).easycrm_email_count, 0)

    # --- pages ---

    def fill(self, number, **parts):
        """Deliver that many mails of the same second; return them, newest first."""
        parts = {"date": START, **parts}
        raws = [raw_mail(subject=str(i), **parts) for i in range(number)]
        return self.deliver(self.mailbox, *raws)[::-1]

    def test_pages_lose_and_double_nothing_though_all_dates_are_equal(self):
        emails = self.fill(65)
        first = self.open(self.anna)
        self.assertEqual(len(first["conversations"]), 30)
        self.assertEqual(first["count"], 65)
        second = self.open(self.anna, before=first["next"])
        self.assertNotIn("count", second)
        seen = [email["id"] for email in self.read_timeline(self.anna)]
        self.assertEqual(seen, emails.ids)

    def test_a_page_that_ends_with_the_last_email_says_so(self):
        self.fill(30)
        self.assertFalse(self.open(self.anna)["next"])
        self.fill(1)
        page = self.open(self.anna)
        self.assertTrue(page["next"])
        self.assertFalse(self.open(self.anna, before=page["next"])["next"])

    def test_a_companys_pages_lose_and_double_nothing(self):
        people = self.env["res.partner"].create(
            [
                {
                    "name": str(i),
                    "email": f"{i}@acme.example",
                    "parent_id": self.acme.id,
                }
                for i in range(5)
            ]
        )
        self.follow_addresses()
        emails = self.fill(65, cc=", ".join(people.mapped("email")))
        seen = [email["id"] for email in self.read_timeline(self.acme)]
        self.assertEqual(seen, emails.ids)
        self.assertEqual(self.open(self.acme)["count"], 65)

    def test_mail_that_comes_between_two_pages_moves_nothing(self):
        emails = self.fill(40)
        first = self.open(self.anna)
        self.receive(self.mailbox, date=START + timedelta(days=1))
        second = self.open(self.anna, before=first["next"])
        seen = [e["id"] for c in second["conversations"] for e in c["emails"]]
        self.assertEqual(seen, emails[30:].ids)

    def test_a_page_that_is_none_is_told_in_words(self):
        for before in ("x", "2026-01-01", "2026-01-01 00:00:00/x", "/"):
            with self.assertRaises(UserError):
                self.open(self.anna, before=before)

    def test_a_conversation_opens_whole(self):
        root = "<root@acme.example>"
        emails = self.fill(35, references=[root])
        page = self.open(self.anna)
        [conversation] = page["conversations"]
        self.assertEqual(conversation["count"], 35)
        self.assertEqual(len(conversation["emails"]), 30)
        [whole] = self.open(self.anna, thread_id=conversation["thread_id"])[
            "conversations"
        ]
        self.assertEqual([email["id"] for email in whole["emails"]], emails.ids)

    def test_a_conversation_shows_on_a_record_what_is_on_it(self):
        root = "<root@acme.example>"
        self.receive(self.mailbox, message_id=root, subject="On Anna")
        self.receive(
            self.mailbox,
            sender="bruno@beck.example",
            references=[root],
            subject="On Bruno",
        )
        self.assertTimeline(self.anna, ["On Anna"])
        self.assertTimeline(self.bruno, ["On Bruno"])
        [conversation] = self.open(self.anna)["conversations"]
        self.assertEqual(conversation["count"], 1)

    # --- counts ---

    def test_the_count_is_of_what_the_reader_may_see(self):
        self.receive(self.mailbox)
        self.make_private(self.receive(self.mailbox))
        self.assertEqual(self.as_user(self.anna, self.mira).easycrm_email_count, 2)
        self.assertEqual(self.as_user(self.anna, self.jonas).easycrm_email_count, 1)
        for user in (self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.as_user(self.anna, user).read(["easycrm_email_count"])
            fields_ = self.as_user(self.anna, user).fields_get()
            ours = {name for name in fields_ if name.startswith("easycrm_")}
            # (the other addresses of a contact are for whoever has contacts)
            mine = {"easycrm_other_emails"} if user == self.ingrid else set()
            self.assertEqual(ours, mine)

    def test_counts_stop_at_a_limit(self):
        self.assertEqual(easycrm_email_timeline.COUNT_LIMIT, 1000)
        with patch.object(easycrm_email_timeline, "COUNT_LIMIT", 5):
            self.fill(5)
            page = self.open(self.anna)
            self.assertEqual((page["count"], page["count_capped"]), (5, False))
            self.fill(5)
            page = self.open(self.anna)
            self.assertEqual((page["count"], page["count_capped"]), (5, True))
            self.assertEqual(self.as_user(self.anna, self.mira).easycrm_email_count, 6)

    # --- why ---

    def test_why_names_the_records_that_the_reader_may_read(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        email = self.receive(self.mailbox, cc="bruno@beck.example")
        why = self.as_user(email, self.jonas).easycrm_why("res.partner", self.bruno.id)
        self.assertEqual(
            [(one["record"]["id"], one["sentence"]) for one in why],
            [
                (self.bruno.id, "cc: bruno@beck.example = contact Bruno Beck"),
                (self.anna.id, "from: anna@acme.example = contact Anna Berg"),
            ],
        )
        why = self.as_user(email, self.mira).easycrm_why("crm.lead", deal.id)
        self.assertEqual(why[0]["record"]["id"], deal.id)
        self.assertEqual(why[0]["record"]["label"], "opportunity")
        self.assertTrue(why[0]["can_take_off"])
        self.assertEqual(len(why), 3)
