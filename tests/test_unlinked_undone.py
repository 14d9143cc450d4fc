from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import raw_mail
from .unlinked_case import TeachingCase


@tagged("post_install", "-at_install")
class TestUndone(TeachingCase):
    """What was linked, ignored or taught is told on the mail, and can be taken back."""

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

    def test_steps_are_undone_in_the_order_they_were_done(self):
        email = self.stranger(1)
        placed, _options = self.link(email)
        link = email.link_ids
        mine = self.as_user(link, self.mira)
        [off] = mine.action_take_off()
        [on] = mine.action_put_back()
        [off_again] = mine.action_take_off()
        for step, links in (
            (off, []),
            (on, []),
            # (what the first one has found)
            (off_again, [self.lena]),
        ):
            self.inbox().undo(step)
            self.assertLinked(email, links)
        [off] = mine.action_take_off()
        self.inbox().undo(placed["batch"])
        self.assertLinked(email, [])
        self.inbox().undo(off)
        self.assertLinked(email, [])
        self.assertFalse(link.exists(), "the step that has made it is undone")

    def test_a_step_that_stands_is_not_undone_with_a_later_one(self):
        email = self.stranger(1)
        self.link(email)
        mine = self.as_user(email.link_ids, self.mira)
        [off] = mine.action_take_off()
        [on] = mine.action_put_back()
        [off_again] = mine.action_take_off()
        self.inbox().undo(off)
        self.inbox().undo(off_again)
        self.assertLinked(email, [self.lena])
        self.inbox().undo(on)
        self.assertLinked(email, [self.lena])

    def test_ignored_and_brought_back_is_undone_in_that_order_too(self):
        email = self.stranger(1)
        ignored = self.inbox().ignore(self.ids(email))
        back = self.inbox().bring_back(self.ids(email))
        self.inbox().undo(ignored["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.inbox().undo(back["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 1)

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
        # (what it would put back was undone)
        self.inbox().undo(told[0]["batch"])
        self.assertLinked(email, [])

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
