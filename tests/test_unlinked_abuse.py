from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import raw_mail
from .test_unlinked import UnlinkedCase


@tagged("post_install", "-at_install")
class TestUnlinkedAbuse(UnlinkedCase):
    """Somebody tries to get at more than is his by what Unlinked Emails offers."""

    def forget_caches(self):
        """Forget whose mailboxes are whose: it was just changed."""
        self.env.flush_all()
        self.registry.clear_all_caches()

    def test_a_conversation_that_was_taught_brings_no_mail_of_others(self):
        """Whoever forges an answer has his mail in a conversation of others."""
        secret = self.stranger(mailbox=self.jonas_mailbox, subject="Salaries")
        forged = self.stranger(
            2, mailbox=self.mailbox, references=[secret.message_id], subject="Re"
        )
        self.assertEqual(forged.thread_id, secret.thread_id)
        contact = self.env["res.partner"].create({"name": "Bait"})
        done = self.inbox().link_to(self.ids(forged), "res.partner", contact.id)
        self.inbox().teach(done["batch"], "thread")
        answer = self.receive(
            self.jonas_mailbox,
            sender="someone@elsewhere.example",
            references=[secret.message_id],
            subject="Re: Salaries",
        )
        self.assertVisible(self.mira, secret, None)
        self.assertVisible(self.mira, answer, None)
        self.assertLinked(answer, [])

    def test_one_opportunity_only_brings_no_mail_of_others(self):
        secret = self.stranger(1, mailbox=self.jonas_mailbox, subject="Salaries")
        forged = self.stranger(2, references=[secret.message_id], subject="Re")
        lead = self.add_lead("Bait", self.mira)
        self.inbox().link_to(self.ids(forged), "crm.lead", lead.id)
        self.as_user(lead, self.mira).easycrm_only_here(forged.thread_id.id)
        theirs = self.add_lead("Theirs", self.jonas, "tobias1@union.example")
        self.assertVisible(self.mira, secret, None)
        self.assertLinked(secret, [theirs])

    def test_each_teaches_a_conversation_for_the_mail_of_his_own(self):
        raw = raw_mail(sender="x@union.example", message_id="<root@union.example>")
        [first] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        for user, mailbox in (
            (self.mira, self.mailbox),
            (self.jonas, self.jonas_mailbox),
        ):
            other = self.deliver(
                mailbox, raw_mail(sender="y@union.example", references=[first.message_id])
            )
            inbox = self.inbox(user)
            ids = self.ids(other, mailbox=mailbox)
            done = inbox.link_to(ids, "res.partner", self.bruno.id)
            inbox.teach(done["batch"], "thread")
        for mailbox in (self.mailbox, self.jonas_mailbox):
            answer = self.receive(
                mailbox, sender="z@union.example", references=[first.message_id]
            )
            self.assertLinked(answer, [self.bruno])
