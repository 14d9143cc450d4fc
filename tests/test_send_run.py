from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..easycrm_mail.messages import write
from ..easycrm_mail.models import easycrm_email_account_send
from ..easycrm_mail.models.send_run import SendRun
from ..easycrm_mail.providers import (
    Doubtful,
    Found,
    Gone,
    Reconnect,
    Refused,
    RemoteMessage,
    Retry,
    Sent,
)
from .common import MailCase
from .test_outgoing import OutgoingFixtures


class FakeProvider:
    """A mailbox that sends, with what it is told to answer.

    :ivar answers: for each call of `send`: an error to raise, or a function of the
        bytes that gives them as they stand in Sent then; nothing: as they are
    :ivar box: {ref: bytes} what stands in Sent
    :ivar handed: the mails that it took
    """

    budget = None

    def __init__(self):
        self.answers, self.box, self.handed = [], {}, []
        self.asked = []
        self.ask_error = None
        self.has_place = True

    def send(self, mail):
        answer = self.answers.pop(0) if self.answers else None
        raw = write(mail.draft, bcc=True)
        if isinstance(answer, Exception):
            if isinstance(answer, Doubtful) and not answer.detail:
                self.put(raw, mail)
            raise answer
        if answer:
            raw = answer(raw)
        ref = self.put(raw, mail)
        message_id = raw.split(b"\r\nMessage-ID: ")[1].split(b"\r\n")[0].decode()
        place = ("Sent", ref) if self.has_place else ("", "")
        return Sent(message_id, "", *place, raw)

    def put(self, raw, mail):
        self.handed.append(mail)
        ref = f"7:{len(self.box) + 1}"
        self.box[ref] = raw
        return ref

    def sent(self, message_id):
        self.asked.append(message_id)
        if self.ask_error:
            raise self.ask_error
        return [
            Found("Sent", ref)
            for ref, raw in self.box.items()
            if message_id.encode() in raw
        ]

    def fetch(self, stream, ref):
        if ref not in self.box:
            raise Gone("mail")
        return RemoteMessage(ref, self.box[ref], is_read=True)

    def close(self):
        pass


class SendingCase(OutgoingFixtures, MailCase):
    """Mira's outbox, and a mailbox that does as it is told."""

    def setUp(self):
        super().setUp()
        self.provider = FakeProvider()
        accounts = type(self.env["easycrm.email.account"])
        self.patch(accounts, "_make_provider", lambda *args: self.provider)
        self.outbox = self.env["easycrm.email.outgoing"]

    def run_outbox(self):
        self.run_as_cron(self.outbox, "_cron_send")

    def queue(self, late=timedelta(seconds=11), **vals):
        """Return a mail of Mira's that is due."""
        mail = self.write_mail(**vals).sudo()
        mail.with_user(self.mira).action_queue()
        mail.scheduled_at -= late
        return mail

    def pass_time(self, mail, **delta):
        """Let time pass for a mail, as its moments are all that knows of time."""
        for name in ("handed_at", "next_try_at", "scheduled_at", "looked_at"):
            if mail[name]:
                mail[name] -= timedelta(**delta)

    def sync_sent(self):
        """Bring what stands in Sent, as a sync does."""
        refs, raws = zip(*self.provider.box.items(), strict=True)
        return self.deliver(self.mailbox, *raws, stream="Sent", refs=refs)


@tagged("post_install", "-at_install")
class TestSendRun(SendingCase):
    def test_what_is_due_goes_out_once_and_stands_on_its_record_at_once(self):
        mail = self.queue(lead_id=self.lead.id, to="anna@acme.example")
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        email = mail.email_id
        self.assertEqual(email.direction, "outbound")
        self.assertLinked(email, [self.lead, self.anna])
        link = email.link_ids.filtered("lead_id")
        self.assertEqual((link.origin, link.create_uid), ("sent", self.mira))
        self.assertTimeline(self.lead, ["Offer"])
        self.assertIn("Mira", self.as_user(link, self.mira).reason)
        self.run_outbox()
        self.assertEqual(len(self.provider.handed), 1)

    def test_the_next_sync_does_not_double_it(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        before = self.env["easycrm.email"].search_count([])
        self.assertEqual(self.sync_sent(), mail.email_id)
        self.assertEqual(self.env["easycrm.email"].search_count([]), before)
        self.assertEqual(len(mail.email_id.copy_ids.location_ids), 1)
        self.assertTimeline(self.lead, ["Offer"])

    def test_it_waits_until_its_time_has_come(self):
        mail = self.write_mail().sudo()
        mail.with_user(self.mira).action_queue("2199-01-01 08:00:00")
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("queued", []))
        mail.with_user(self.mira).action_send_now()
        self.run_outbox()
        self.assertEqual(mail.state, "sent")

    def test_what_was_taken_back_does_not_go_out(self):
        mail = self.queue()
        mail.with_user(self.mira).action_undo()
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("draft", []))

    def test_what_passes_by_itself_is_tried_again_and_told_after_the_third_time(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy") for _attempt in range(4)]
        for attempt in range(4):
            self.assertFalse(mail.activity_id)
            self.run_outbox()
            self.assertEqual((mail.state, mail.attempts), ("queued", attempt + 1))
            self.assertEqual(mail.error_kind, "retry")
            before = len(self.provider.handed)
            self.run_outbox()  # not before its time
            self.assertEqual(len(self.provider.handed), before)
            self.pass_time(mail, seconds=270)
        self.assertEqual(mail.activity_id.user_id, self.mira)
        self.pass_time(mail, minutes=33)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        self.assertFalse(mail.activity_id.exists())
        self.assertFalse(mail.error)

    def test_a_service_that_says_when_is_obeyed(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy", retry_after=3600)]
        self.run_outbox()
        wait = mail.next_try_at - fields.Datetime.now()
        self.assertGreater(wait, timedelta(minutes=59))

    def test_a_refusal_says_which_recipient(self):
        mail = self.queue(to="anna@acme.example,gone@acme.example")
        refused = (("Gone@acme.example", "no such mailbox"),)
        self.provider.answers = [Refused("recipients", "550", refused)]
        self.run_outbox()
        self.assertEqual(mail.state, "refused")
        self.assertEqual(
            mail.recipient_ids.mapped("refused"), [False, "no such mailbox"]
        )
        self.assertTrue(mail.activity_id)
        # and by hand it goes out again, as another mail
        before = mail.message_id
        mail.with_user(self.mira).action_send_again()
        self.assertNotEqual(mail.message_id, before)
        self.pass_time(mail, seconds=11)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")

    def test_a_sign_in_that_is_missing_keeps_it_waiting(self):
        mail = self.queue()
        self.provider.answers = [Reconnect("password")]
        self.run_outbox()
        self.assertEqual((mail.state, mail.error_kind), ("queued", "reconnect"))
        self.assertTrue(mail.activity_id)
        self.mailbox.imap_password = "right"
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertFalse(mail.activity_id.exists())

    def test_one_mail_that_fails_does_not_stop_the_others(self):
        first, second = self.queue(), self.queue()
        self.provider.answers = [Refused("content", "spam")]
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("refused", "sent"))

    def test_one_that_cannot_be_made_does_not_stop_the_others(self):
        first, second = self.queue(), self.queue()
        make = type(self.outbox)._make_outgoing

        def fail(mail):
            if mail == first:
                raise ValueError("broken")
            return make(mail)

        self.patch(type(self.outbox), "_make_outgoing", fail)
        with self.assertLogs("odoo.addons.easycrm_mail", "ERROR"):
            self.run_outbox()
        self.assertEqual((first.state, second.state), ("queued", "sent"))
        self.assertTrue(first.next_try_at)

    def test_what_nobody_foresaw_is_a_doubt_and_not_sent_again(self):
        mail = self.queue()
        self.provider.answers = [ZeroDivisionError()]
        with self.assertLogs("odoo.addons.easycrm_mail", "WARNING"):
            self.run_outbox()
        self.assertEqual(mail.state, "doubt")

    def test_it_does_not_leave_when_its_writer_or_its_mailbox_has_left(self):
        mail = self.queue()
        self.mailbox.user_id.active = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))
        self.assertIn("Mira", mail.error)

    def test_who_left_the_team_sends_nothing_from_its_mailbox(self):
        self.mailbox.member_ids = self.jonas
        mail = self.write_mail(self.jonas).sudo()
        mail.with_user(self.jonas).action_queue()
        mail.scheduled_at -= timedelta(seconds=11)
        self.mailbox.member_ids = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))

    def test_an_alias_that_was_taken_away_sends_nothing(self):
        self.mailbox.alias_emails = "sales@ours.example"
        mail = self.queue(from_address="sales@ours.example")
        self.mailbox.alias_emails = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))

    def test_a_mailbox_that_is_deleted_refuses_what_waits_in_it(self):
        mail, sending = self.queue(), self.queue()
        sending._mark_sending()
        with self.assertRaisesRegex(Exception, "being sent"):
            self.mailbox.unlink()
        sending._mark_doubtful()
        self.mailbox.unlink()
        self.assertEqual(mail.state, "refused")
        self.assertEqual((sending.state, bool(sending.asked_at)), ("doubt", True))
        self.run_outbox()
        self.assertEqual(self.provider.handed, [])

    def test_what_a_service_takes_no_more_of_waits_and_was_told_before(self):
        account = self.mailbox.with_user(self.mira)
        self.patch(easycrm_email_account_send, "DAY_LIMITS", {"imap": 4})
        self.patch(easycrm_email_account_send, "MINUTE_LIMITS", {"imap": 2})
        mails = [self.queue() for _number in range(3)]
        self.run_outbox()
        self.assertEqual([m.state for m in mails], ["sent", "sent", "queued"])
        self.assertFalse(mails[2].attempts)
        self.assertEqual(
            mails[2].next_try_at, mails[0].handed_at + timedelta(minutes=1)
        )
        for mail in mails:
            self.pass_time(mail, minutes=2)
        self.assertFalse(account.easycrm_send_options()[0]["warning"])
        self.run_outbox()
        self.assertEqual(mails[2].state, "sent")
        self.patch(easycrm_email_account_send, "MINUTE_LIMITS", {})
        self.queue()
        last = self.queue()
        self.run_outbox()
        self.assertEqual(last.state, "queued")
        self.assertEqual(last.next_try_at, mails[0].handed_at + timedelta(days=1))
        warning = account.easycrm_send_options()[0]["warning"]
        self.assertIn("waits", warning)

    def test_two_mails_of_one_mailbox_go_one_after_the_other(self):
        mails = self.queue() + self.queue() + self.queue()
        self.run_outbox()
        ids = [mail.draft.message_id for mail in self.provider.handed]
        self.assertEqual(ids, mails.mapped("message_id"))


@tagged("post_install", "-at_install")
class TestSendDoubt(SendingCase):
    def test_what_was_accepted_without_an_answer_is_found_and_not_sent_again(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        self.assertEqual(mail.state, "doubt")
        self.pass_time(mail, seconds=21)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        self.assertTimeline(self.lead, ["Offer"])
        self.assertEqual(self.sync_sent(), mail.email_id)

    def test_what_is_not_found_is_asked_of_its_writer_and_never_sent_blindly(self):
        mail = self.queue()
        self.provider.answers = [Doubtful("timeout", "it did not arrive")]
        self.run_outbox()
        for passed, asked in ((21, 1), (40, 2), (120, 3), (300, 4)):
            self.pass_time(mail, seconds=passed)
            self.run_outbox()
            self.assertEqual((mail.state, len(self.provider.asked)), ("doubt", asked))
            self.assertFalse(mail.asked_at)
        self.pass_time(mail, seconds=421)
        self.run_outbox()
        self.assertTrue(mail.asked_at)
        self.assertEqual(mail.activity_id.user_id, self.mira)
        self.assertFalse(mail.next_try_at)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("doubt", []))

        told = mail.with_user(self.mira).action_send_again()
        again = self.outbox.browse(told["id"])
        self.assertNotEqual(again.message_id, mail.message_id)
        self.assertEqual(again.recipient_ids.mapped("address"), ["anna@acme.example"])
        self.pass_time(again, seconds=11)
        self.run_outbox()
        self.assertEqual((again.state, mail.state), ("sent", "cancelled"))

    def test_one_that_turns_up_after_it_was_sent_again_keeps_the_other_from_going(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        again = self.outbox.browse(mail.with_user(self.mira).action_send_again()["id"])
        self.sync_sent()
        self.assertEqual((mail.state, again.state), ("sent", "cancelled"))
        self.pass_time(again, seconds=11)
        self.run_outbox()
        self.assertEqual(len(self.provider.handed), 1)
        self.assertTimeline(self.lead, ["Offer"])

    def test_a_mailbox_that_cannot_be_asked_is_asked_later(self):
        mail = self.queue()
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        self.provider.ask_error = Retry("refused")
        self.pass_time(mail, seconds=901)
        self.run_outbox()
        self.assertEqual((mail.state, bool(mail.asked_at)), ("doubt", True))
        self.assertTrue(mail.next_try_at)
        self.provider.ask_error = None
        self.pass_time(mail, minutes=31)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertFalse(mail.activity_id.exists())

    def test_a_failure_that_comes_late_undoes_no_decision(self):
        """Its worker was taken for dead, and its writer has sent it again meanwhile."""
        for error in (Retry("dropped"), Doubtful("timeout"), Refused("content")):
            with self.subTest(error=error.kind):
                mail = self.queue()
                self.provider.answers = [error]
                finish = SendRun._finish

                def decide_and_finish(run, future, mail=mail, finish=finish):
                    known = mail.with_env(run.env)
                    known._mark_doubtful()
                    known.action_discard()
                    run.env.cr.commit()
                    return finish(run, future)

                with patch.object(SendRun, "_finish", decide_and_finish):
                    self.run_outbox()
                self.assertEqual(mail.state, "cancelled")

    def test_what_a_dead_worker_was_sending_is_a_doubt(self):
        mail = self.queue()
        mail._mark_sending()
        self.run_outbox()
        self.assertEqual(mail.state, "sending", "its worker may still be at it")
        self.pass_time(mail, seconds=151)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("doubt", []))
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.pass_time(mail, seconds=60)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertTrue(mail.email_id)

    def test_an_old_copy_of_the_database_asks_before_it_sends(self):
        mail = self.queue(late=timedelta(minutes=30))
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.provider.handed.clear()
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("sent", []))
        self.assertTrue(mail.email_id)

        other = self.queue(late=timedelta(minutes=30))
        self.run_outbox()
        self.assertIn(other.message_id, self.provider.asked)
        self.assertEqual((other.state, len(self.provider.handed)), ("sent", 1))


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


@tagged("post_install", "-at_install")
class TestWrittenKept(SendingCase):
    """What becomes of the outbox's own rows."""

    def test_what_was_deleted_for_good_leaves_nothing_in_the_outbox(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        mail.email_id._delete_for_good()
        self.assertFalse(mail.exists())
        self.sync_sent()
        self.assertTimeline(self.lead, [])

    def test_the_text_is_forgotten_and_the_mail_still_known(self):
        mail, cancelled = self.queue(lead_id=self.lead.id), self.queue()
        cancelled.with_user(self.mira).action_cancel()
        self.run_outbox()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE easycrm_email_outgoing"
            " SET write_date = write_date - interval '31 days'"
        )
        self.env.invalidate_all()
        self.outbox._gc_written()
        self.assertFalse(cancelled.exists())
        self.assertEqual((mail.state, mail.body), ("sent", False))
        self.assertEqual(self.sync_sent(), mail.email_id)
        self.assertTimeline(self.lead, ["Offer"])

    def test_a_merged_lead_takes_what_was_written_from_it_along(self):
        other = self.add_lead("40 chairs too", self.mira, "anna@acme.example")
        mail = self.queue(lead_id=other.id)
        kept = (self.lead | other)._merge_opportunity(auto_unlink=True)
        self.assertEqual(mail.lead_id, kept)

    def test_a_neutralized_copy_sends_nothing(self):
        mails = [self.queue() for _number in range(3)]
        mails[1]._mark_sending()
        mails[2]._mark_sending()
        mails[2]._mark_doubtful()
        self.env.flush_all()
        script = Path(__file__).parents[1] / "data" / "neutralize.sql"
        self.env.cr.execute(script.read_text())
        self.env.invalidate_all()
        self.assertEqual({mail.state for mail in mails}, {"cancelled"})
