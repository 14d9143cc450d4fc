"""Whom a mailing goes to that several runs write, that is tried again, or moved."""

from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models.bulk_writer import BulkWriter
from ..easycrm_mail.models.easycrm_esp_send import BulkRun
from .mailing_case import SEND, WIZARDS, QueueCase


class PagesCase(QueueCase):
    def process_by_pages(self, size=2, left=None):
        """Run Odoo's cron as outside of a test: it commits page by page.

        :param left: the seconds that it has left after each
        """
        cron = type(self.env["ir.cron"])
        with (
            patch("odoo.addons.mass_mailing.models.mailing.modules") as modules,
            patch(f"{WIZARDS}.mail_compose_message.MAX_RECIPIENTS", size),
            patch.object(cron, "_commit_progress", return_value=left),
        ):
            modules.module.current_test = None
            self.process()

    def get_addresses(self, server=None):
        server = server or self.sendgrid
        return sorted(mail.address for mail in server.deliveries.all())


@tagged("post_install", "-at_install")
class TestEspVersions(PagesCase):
    """Of several versions each goes to its share, and to nobody beyond."""

    def setUp(self):
        super().setUp()
        self.people = self.make_people(20)
        self.version = self.make_mailing(
            self.people, ab_testing_enabled=True, ab_testing_pc=50
        )

    def test_one_whose_writing_is_interrupted_goes_to_its_share(self):
        self.version.action_put_in_queue()
        for _run in range(5):
            self.process_by_pages(size=4, left=0)
        self.hand_over()
        self.assertEqual(len(self.traces(self.version)), 10)
        self.assertEqual(len(set(self.get_addresses())), 10)
        self.assertEqual(self.version.state, "done")

    def fail_some(self, count=2):
        self.version.action_put_in_queue()
        self.process()
        failed = self.traces(self.version)[:count]
        for number, trace in enumerate(failed):
            trace.email = f"bad address {number}"
        self.hand_over()
        self.assertEqual(set(failed.mapped("trace_status")), {"error"})
        self.assertEqual(self.version.state, "done")
        return failed

    def test_who_failed_is_tried_again_and_nobody_else(self):
        self.fail_some()
        ids = set(self.traces(self.version).mapped("res_id"))
        self.version.action_retry_failed()
        self.assertEqual(self.version.easycrm_expected, 10)
        self.process()
        self.hand_over()
        self.assertEqual(set(self.traces(self.version).mapped("res_id")), ids)
        self.assertEqual(len(self.traces(self.version)), 10)
        self.assertEqual(len(set(self.get_addresses())), 10)
        self.assertEqual(self.version.failed, 0)
        self.assertEqual(self.version.state, "done")

    def test_who_is_gone_or_not_meant_any_more_is_not_tried_again(self):
        failed = self.fail_some(count=4)
        records = self.people.browse(failed.mapped("res_id"))
        records[0].unlink()
        records[1].active = False
        self.version.action_retry_failed()
        self.hand_over()
        self.assertEqual(failed.exists(), failed[:2])
        self.assertEqual(self.version.failed, 2)
        self.assertEqual(len(set(self.get_addresses())), 8)
        self.assertEqual(self.version.state, "done")

    def test_what_a_lost_worker_has_written_of_it_is_sent(self):
        self.fail_some()
        with patch.object(type(self.version), "_easycrm_end_writing"):
            self.version.action_retry_failed()
        self.assertTrue(self.version.easycrm_writing)
        self.env.flush_all()
        self.env.cr.execute("UPDATE mailing_mailing SET state = 'done'")
        self.env.invalidate_all()
        self.hand_over()
        self.assertEqual(len(set(self.get_addresses())), 8)
        self.env.cr.execute(
            "UPDATE mailing_mailing SET write_date = write_date - interval '61 minutes'"
        )
        self.env.invalidate_all()
        self.hand_over()
        self.assertEqual(len(set(self.get_addresses())), 10)
        self.assertEqual(self.version.state, "done")

    @mute_logger("odoo.addons.mail.models.mail_render_mixin")
    def retry_with_a_broken_text(self):
        self.version.body_html = "<p t-out='object.name.split()[9]'/>"
        self.env.flush_all()
        with (
            patch("odoo.addons.mass_mailing.models.mailing.modules") as modules,
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            modules.module.current_test = None
            self.version.with_env(self.env(cr=cr)).action_retry_failed()
        self.env.invalidate_all()

    def test_who_cannot_be_written_to_any_more_stays_among_those_that_failed(self):
        ids = self.fail_some().mapped("res_id")
        self.retry_with_a_broken_text()
        failed = self.traces(self.version).filtered(lambda t: t.trace_status == "error")
        self.assertEqual(sorted(failed.mapped("res_id")), sorted(ids))
        self.assertIn("out of range", failed[0].failure_reason)
        self.assertEqual(self.version.state, "done")
        self.assertFalse(self.version.easycrm_paused)

    def test_where_nobody_can_be_written_to_all_stay_and_it_says_so(self):
        failed = self.fail_some(count=10)
        self.retry_with_a_broken_text()
        self.assertEqual(failed.exists(), failed)
        self.assertIn("out of range", self.version.easycrm_pause_reason)
        self.assertEqual(self.version.state, "done")
        self.assertFalse(self.version.easycrm_writing)
        self.version.body_html = "<p>Hello</p>"
        self.version.action_retry_failed()
        self.hand_over()
        self.assertEqual(len(set(self.get_addresses())), 10)


@tagged("post_install", "-at_install")
class TestEspRetry(PagesCase):
    def test_an_address_that_failed_beside_another_of_its_record_is_not_forgotten(self):
        emails = ["one@example.com, two@example.com", "alone@example.com"]
        people = self.env["crm.lead"].create(
            [{"name": email, "email_from": email} for email in emails]
        )
        leads = self.env["ir.model"]._get_id("crm.lead")
        mailing = self.make_mailing(people, "<p>Hello</p>", mailing_model_id=leads)
        mailing.action_put_in_queue()
        self.process()
        traces = self.traces(mailing)
        self.assertEqual(len(traces), 3)
        second = traces.filtered(lambda trace: trace.email == "two@example.com")
        alone = traces.filtered(lambda trace: trace.res_id == people[1].id)
        second.email, alone.email = "bad address", "another bad one"
        self.hand_over()
        self.assertEqual(mailing.failed, 2)
        mailing.action_retry_failed()
        self.process()
        self.hand_over()
        self.assertEqual(second.exists().trace_status, "error")
        self.assertEqual(mailing.failed, 1)
        self.assertEqual(self.get_addresses(), ["alone@example.com", "one@example.com"])
        self.assertEqual(mailing.state, "done")


@tagged("post_install", "-at_install")
class TestEspMoved(PagesCase):
    """Through another sender goes all that is left, written or not."""

    def test_what_is_not_written_yet_goes_through_the_other_sender(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        mailing.write({"state": "sending", "easycrm_writing": True})
        mailing.action_easycrm_go_on_through(self.other.id)
        self.process()
        self.hand_over()
        self.assertEqual(self.get_addresses(self.mailgun), people.mapped("email"))
        self.assertFalse(self.get_addresses())
        self.assertEqual(mailing.easycrm_esp_id, self.other)

    def check_moved_while_written(self, page):
        mailing = self.make_mailing(self.make_people(6))
        mailing.action_put_in_queue()
        write_page, pages = BulkWriter.write_page, []

        def write(writer, *args):
            write_page(writer, *args)
            pages.append(args)
            if len(pages) == page:
                # (of what is on its way nobody else knows)
                writer.mailing.easycrm_esp_id = self.other.id

        with patch.object(BulkWriter, "write_page", write):
            self.process_by_pages(left=9.0)
        self.assertEqual(len(pages), 3)
        self.assertEqual(mailing.easycrm_batch_ids.esp_id, self.other)
        self.assertEqual(self.traces(mailing).easycrm_esp_id, self.other)
        self.hand_over()
        self.assertEqual(len(self.get_addresses(self.mailgun)), 6)
        self.assertFalse(self.get_addresses())

    def test_what_is_being_written_goes_through_the_other_sender(self):
        self.check_moved_while_written(1)

    def test_what_is_written_last_goes_through_the_other_sender(self):
        self.check_moved_while_written(3)

    def test_another_sender_is_offered_only_where_it_helps(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._easycrm_pause(reason="It cannot be written.")
        self.assertFalse(mailing.easycrm_get_progress()["others"])
        mailing._action_send_mail()
        self.assertFalse(mailing.easycrm_get_progress()["others"])
        self.esp.active = False
        others = mailing.easycrm_get_progress()["others"]
        self.assertEqual([other["id"] for other in others], self.other.ids)

    def test_what_gets_a_sender_while_it_waits_is_not_sent_by_a_copy_as_well(self):
        mailing = self.make_mailing(self.make_people(1), easycrm_esp_id=False)
        mailing.action_put_in_queue()
        self.assertFalse(mailing.easycrm_planned_in)
        mailing.easycrm_esp_id = self.esp
        self.assertTrue(mailing.easycrm_planned_in)
        # in a copy it is not resumed by that
        mailing.easycrm_planned_in = "another"
        mailing.easycrm_esp_id = self.other
        self.assertEqual(mailing.easycrm_planned_in, "another")


@tagged("post_install", "-at_install")
class TestEspStopped(PagesCase):
    def test_a_mailing_that_is_archived_while_it_is_written_is_written_to_its_end(self):
        mailing = self.make_mailing(self.make_people(4))
        waiting = self.make_mailing(self.make_people(1, email="none@example.com"))
        (mailing + waiting).action_put_in_queue()
        waiting.active = False
        self.process_by_pages(left=0)
        self.assertEqual(len(self.traces(mailing)), 2)
        mailing.active = False
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 4)
        self.assertEqual((mailing.state, waiting.state), ("done", "in_queue"))

    def test_one_that_is_archived_with_all_written_but_its_end(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        mailing.easycrm_batch_ids.state = "filling"
        mailing.write({"easycrm_writing": True, "active": False})
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 2)
        self.assertEqual(mailing.state, "done")

    def test_a_pause_ends_with_the_mailing(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        call = BulkRun._call

        def pause(run, batch):
            batch.mailing_id.action_easycrm_pause()
            return call(run, batch)

        with patch.object(BulkRun, "_call", pause):
            self.hand_over()
        self.assertEqual((mailing.state, mailing.easycrm_paused), ("done", False))

    def test_to_send_something_again_does_not_end_a_pause_of_the_rest(self):
        with patch(f"{WIZARDS}.mail_compose_message.MAX_RECIPIENTS", 2):
            mailing = self.make_mailing(self.make_people(4))
            mailing._action_send_mail()
        first, *_rest = self.traces(mailing)
        batch = first.easycrm_batch_id.copy({"state": "doubt", "key": "again"})
        first.write({"easycrm_batch_id": batch.id, "trace_status": "process"})
        batch.handed_at = "2026-01-01"
        mailing.action_easycrm_pause()
        mailing.action_easycrm_send_unconfirmed()
        self.assertTrue(mailing.easycrm_paused)
        self.hand_over()
        self.assertFalse(self.get_addresses())
        mailing.action_easycrm_resume()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 4)

    def test_what_is_sent_again_is_not_held_by_an_older_pause(self):
        mailing = self.make_mailing(self.make_people(2))
        self.sendgrid.break_(SEND, "refuse")
        self.send(mailing)
        mailing._easycrm_get_batches("doubt").handed_at = "2026-01-01"
        mailing._easycrm_pause(by=self.env.user)
        mailing.action_easycrm_send_unconfirmed()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 2)
        self.traces(mailing)[0].trace_status = "error"
        mailing._easycrm_pause(by=self.env.user)
        mailing.action_retry_failed()
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 3)


@tagged("post_install", "-at_install")
class TestEspLinkedFiles(PagesCase):
    def test_a_file_that_is_only_a_link_goes_as_a_link(self):
        files = self.env["ir.attachment"].create(
            [
                {"name": "a.pdf", "raw": b"%PDF"},
                {
                    "name": "Film <1>",
                    "type": "url",
                    "url": "https://files.example.com/film.mp4",
                },
                {"name": "nothing", "type": "url", "url": "/web/nothing"},
            ]
        )
        mailing = self.make_mailing(
            self.make_people(2), attachment_ids=[Command.set(files.ids)]
        )
        self.send(mailing)
        self.assertEqual(mailing.state, "done")
        mails = self.sendgrid.deliveries.all()
        self.assertEqual(len(mails), 2)
        for mail in mails:
            self.assertEqual(mail.files, ("a.pdf",))
            token = files[1].access_token
            self.assertIn(f"/web/content/{files[1].id}?download=1", mail.html)
            self.assertIn(token, mail.html)
            self.assertIn("Film &lt;1&gt;", mail.html)
            self.assertIn("Film <1>", mail.text)
            self.assertNotIn(f"/web/content/{files[2].id}", mail.html)
