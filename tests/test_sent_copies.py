from dataclasses import replace

from odoo.tests import tagged

from ..easycrm_mail.messages import write
from ..easycrm_mail.models.send_run import SendRun
from .sending_case import SendingCase


@tagged("post_install", "-at_install")
class TestSentCopies(SendingCase):
    """One email for one sent mail, whichever way its copy comes."""

    def assertOnce(self, mail):
        self.assertEqual(mail.state, "sent")
        self.assertTrue(mail.email_id)
        self.assertTimeline(self.lead, ["Offer"])
        self.assertEqual(mail.email_id.copy_ids.account_id, self.mailbox)
        self.assertLinked(mail.email_id, [self.lead, self.anna])
        link = mail.email_id.link_ids.filtered("lead_id")
        self.assertEqual(link.origin, "sent")

    def test_a_sync_that_brings_it_first_settles_it(self):
        mail = self.queue(lead_id=self.lead.id)
        mail._mark_sending()
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.sync_sent()
        self.assertOnce(mail)
        mail.flush_recordset()
        self.pass_time(mail, seconds=200)
        self.run_outbox()
        self.assertOnce(mail)
        self.assertEqual(self.provider.asked, [])

    def test_the_answer_that_comes_after_the_sync_changes_nothing(self):
        mail = self.queue(lead_id=self.lead.id)
        finish = SendRun._finish

        def sync_and_finish(run, future):
            mailbox = self.mailbox.with_env(run.env)
            self.deliver(mailbox, self.provider.box["7:1"], stream="Sent", refs=["7:1"])
            return finish(run, future)

        self.patch(SendRun, "_finish", sync_and_finish)
        self.run_outbox()
        self.assertOnce(mail)

    def rewrite_id(self, raw):
        """Give it another Message-ID, as Gmail may."""
        start = raw.index(b"\r\nMessage-ID: ") + len(b"\r\nMessage-ID: ")
        old = raw[start : raw.index(b"\r\n", start)]
        new = b"<given@mail.service.example>"
        kept = b"X-Google-Original-Message-ID: " + old + b"\r\n"
        return kept + raw.replace(old, new, 1)

    def test_a_message_id_that_the_service_gave_is_known(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [self.rewrite_id]
        self.run_outbox()
        self.assertOnce(mail)
        self.assertEqual(mail.email_id.message_id, "<given@mail.service.example>")
        self.assertEqual(mail.sent_message_id, "<given@mail.service.example>")
        self.sync_sent()
        self.assertOnce(mail)

    def test_it_is_known_too_where_the_sync_brings_it_first(self):
        mail = self.queue(lead_id=self.lead.id)
        mail._mark_sending()
        raw = self.rewrite_id(write(mail._make_draft(), bcc=True))
        self.provider.put(raw, None)
        self.sync_sent()
        self.assertOnce(mail)

    def test_what_the_service_wrote_anew_since_is_the_same_email(self):
        for has_place in (True, False):
            with self.subTest(has_place=has_place):
                lead = self.add_lead("Other chairs", self.mira)
                mail = self.queue(lead_id=lead.id)
                self.provider.has_place = has_place
                self.run_outbox()
                [ref] = [
                    r
                    for r, raw in self.provider.box.items()
                    if mail.message_id.encode() in raw
                ]
                self.provider.box[ref] = self.provider.box[ref].replace(
                    b"chairs", b"chairs, rewritten by Exchange"
                )
                before = self.env["easycrm.email"].search_count([])
                self.deliver_again(ref)
                self.assertEqual(self.env["easycrm.email"].search_count([]), before)
                self.assertTimeline(lead, ["Offer"])
                self.assertEqual(len(mail.email_id.copy_ids.location_ids), 1)
                # and when the mailbox is listed anew
                self.deliver_again(ref)
                self.assertEqual(self.env["easycrm.email"].search_count([]), before)

    def deliver_again(self, ref):
        self.deliver(self.mailbox, self.provider.box[ref], stream="Sent", refs=[ref])

    def test_what_a_list_sends_on_under_its_message_id_is_another_email(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        raw = self.provider.box["7:1"].replace(b"chairs", b"chairs and a footer")
        [email] = self.deliver(self.mailbox, raw)
        self.assertNotEqual(email, mail.email_id)

    def test_it_stays_on_its_record_where_mail_of_nobody_is_not_kept(self):
        self.mailbox.unlinked_keep = "nothing"
        mail = self.queue(lead_id=self.lead.id, to="new@nobody.example")
        self.run_outbox()
        self.assertLinked(mail.email_id, [self.lead])
        other = self.queue(to="new@nobody.example")
        self.run_outbox()
        self.assertEqual(other.state, "sent")
        self.assertFalse(other.email_id)

    def test_a_mail_that_others_forge_with_its_message_id_settles_nothing_else(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        raw = write(replace(mail._make_draft(), html="<p>Forged</p>"), bcc=True)
        [forged] = self.deliver(self.jonas_mailbox, raw)
        self.assertNotEqual(forged, mail.email_id)
        self.assertOnce(mail)

    def test_what_was_taken_off_by_hand_stays_off(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        link = mail.email_id.link_ids.filtered("lead_id")
        link.with_user(self.mira).action_take_off()
        self.sync_sent()
        self.assertTimeline(self.lead, [])
        self.assertTrue(link.removed)
