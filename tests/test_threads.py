"""Which emails are one conversation."""

from itertools import permutations

from odoo.tests import tagged

from .common import MailCase, raw_mail

ROOT, SECOND, THIRD = (f"<{name}@acme.example>" for name in ("root", "second", "third"))


@tagged("post_install", "-at_install")
class TestThreads(MailCase):
    def deliver_one_by_one(self, *raws):
        emails = self.env["easycrm.email"].sudo()
        for raw in raws:
            emails += self.deliver(self.mailbox, raw)
        return emails

    def assertOneThread(self, emails):
        self.assertEqual(len(emails.thread_id), 1)
        for link in emails.link_ids:
            self.assertEqual(link.thread_id, emails.thread_id)

    def conversation(self):
        """Return a mail, its answer and the answer to that, as programs should."""
        return [
            raw_mail(message_id=ROOT),
            raw_mail(message_id=SECOND, references=[ROOT], in_reply_to=ROOT),
            raw_mail(message_id=THIRD, references=[ROOT, SECOND], in_reply_to=SECOND),
        ]

    def replies(self):
        """Return the same of a program that says only what it answers."""
        return [
            raw_mail(message_id=ROOT),
            raw_mail(message_id=SECOND, in_reply_to=ROOT),
            raw_mail(message_id=THIRD, in_reply_to=SECOND),
        ]

    def test_references_make_one_thread_in_whatever_order_they_come(self):
        for order in permutations(range(3)):
            for deliver in (
                self.deliver_one_by_one,
                lambda *raws: self.deliver(self.mailbox, *raws),
            ):
                raws = self.conversation()
                with self.subTest(order=order), self.env.cr.savepoint() as savepoint:
                    emails = deliver(*(raws[number] for number in order))
                    self.assertOneThread(emails)
                    self.assertEqual(emails.thread_id.root, ROOT)
                    savepoint.rollback()

    def test_in_reply_to_makes_one_thread_in_whatever_order_they_come(self):
        for order in permutations(range(3)):
            for deliver in (
                self.deliver_one_by_one,
                lambda *raws: self.deliver(self.mailbox, *raws),
            ):
                raws = self.replies()
                with self.subTest(order=order), self.env.cr.savepoint() as savepoint:
                    emails = deliver(*(raws[number] for number in order))
                    self.assertOneThread(emails)
                    self.assertEqual(emails.thread_id.root, ROOT)
                    savepoint.rollback()

    def test_answers_to_a_mail_that_is_not_here_are_one_thread(self):
        emails = self.deliver_one_by_one(
            raw_mail(references=[ROOT, SECOND]), raw_mail(references=[ROOT, THIRD])
        )
        self.assertOneThread(emails)
        self.assertEqual(emails.thread_id.root, ROOT)

    def test_two_mailboxes_share_the_thread(self):
        first, second, _third = self.conversation()
        emails = self.deliver(self.mailbox, first)
        emails += self.deliver(self.jonas_mailbox, second)
        self.assertOneThread(emails)

    def test_the_same_subject_makes_no_thread(self):
        emails = self.deliver(
            self.mailbox, *(raw_mail(subject="Hi") for _i in range(2))
        )
        self.assertEqual(len(emails.thread_id), 2)

    def test_threads_found_to_be_one_are_merged(self):
        # two halves, and then the mail that joins them
        left = self.receive(self.mailbox, message_id=SECOND, references=[ROOT])
        right = self.receive(self.mailbox, in_reply_to=THIRD)
        self.assertNotEqual(left.thread_id, right.thread_id)
        lowest = left.thread_id
        between = self.receive(
            self.mailbox, message_id=THIRD, references=[ROOT, SECOND]
        )
        self.assertOneThread(left + right + between)
        self.assertEqual(between.thread_id, lowest)

    def test_merging_keeps_the_stricter_privacy(self):
        left = self.receive(self.mailbox, message_id=SECOND, references=[ROOT])
        right = self.receive(self.mailbox, in_reply_to=THIRD)
        self.make_private(right)
        between = self.receive(
            self.mailbox, message_id=THIRD, references=[ROOT, SECOND]
        )
        self.assertOneThread(left + right + between)
        self.assertEqual(between.thread_id.privacy, "private")

    def test_an_answer_comes_into_a_private_thread(self):
        first = self.receive(self.mailbox, message_id=ROOT)
        self.make_private(first)
        answer = self.receive(self.mailbox, references=[ROOT])
        self.assertOneThread(first + answer)
        self.assertVisible(self.jonas, answer, None)

    def test_a_root_that_moved_is_still_found_by_its_old_name(self):
        # an odd program puts something of its own before the real root
        first = self.receive(self.mailbox, references=[ROOT])
        odd = self.receive(
            self.mailbox, references=["<odd@x.example>", first.message_id]
        )
        later = self.receive(self.mailbox, references=[ROOT])
        self.assertOneThread(first + odd + later)

    def test_companies_have_threads_of_their_own(self):
        mailbox = self.connect(self.bea)
        ours = self.receive(self.mailbox, message_id=ROOT)
        theirs = self.receive(mailbox, references=[ROOT])
        self.assertNotEqual(ours.thread_id, theirs.thread_id)

    def test_a_mail_that_refers_to_itself_or_in_a_circle(self):
        itself = self.receive(self.mailbox, message_id=ROOT, references=[ROOT])
        self.assertTrue(itself.thread_id)
        one = self.receive(self.mailbox, message_id=SECOND, in_reply_to=THIRD)
        other = self.receive(self.mailbox, message_id=THIRD, in_reply_to=SECOND)
        self.assertOneThread(one + other)
