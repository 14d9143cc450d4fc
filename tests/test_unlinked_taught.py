from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import raw_mail
from .unlinked_case import TeachingCase


@tagged("post_install", "-at_install")
class TestTeaching(TeachingCase):
    """What is linked from now on: the count before is what happens."""

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
        with self.unseen():
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
