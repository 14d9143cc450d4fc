"""A text that cannot be written for somebody: it is told, and the others get theirs."""

from unittest.mock import patch

from psycopg2 import IntegrityError, OperationalError

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models.retrying import ATTEMPTS
from ..easycrm_mail.wizards.mail_compose_message import BulkPages
from .mailing_case import WIZARDS, QueueCase

#: Fails for a name of one word.
BODY = "<p>Dear <t t-out='object.name.split()[1]'/></p>"


@tagged("post_install", "-at_install")
class TestEspUnwritable(QueueCase):
    def setUp(self):
        super().setUp()
        self.queue = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")

    @mute_logger("odoo.addons.mail.models.mail_render_mixin")
    def process_by_pages(self, size=2):
        """Run Odoo's cron as outside of a test: it commits page by page."""
        with (
            patch("odoo.addons.mass_mailing.models.mailing.modules") as modules,
            patch(f"{WIZARDS}.mail_compose_message.MAX_RECIPIENTS", size),
        ):
            modules.module.current_test = None
            self.process()

    def queue_triggers(self):
        return self.env["ir.cron.trigger"].search([("cron_id", "=", self.queue.id)])

    def test_it_says_so_and_the_others_are_sent(self):
        people = self.make_people(4)
        people.name = "Prince"
        bad, good = self.make_mailing(people, BODY), self.make_mailing(people)
        (bad + good).action_put_in_queue()
        progress = self.run_out_of_time(self.queue)
        self.process_by_pages()
        # (else Odoo repeats the run at once, for ever)
        progress.invalidate_recordset()
        self.assertFalse(progress.remaining)
        self.assertEqual((bad.easycrm_paused, bad.state), (True, "sending"))
        self.assertIn("list index out of range", bad.easycrm_pause_reason)
        self.assertNotIn("\n", bad.easycrm_pause_reason)
        self.assertFalse(self.traces(bad))
        self.env = self.env(context={})
        self.process_by_pages()
        self.hand_over()
        self.assertEqual(good.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 4)
        # mended, it goes on at once
        people.name = "Prince Rogers"
        self.queue_triggers().unlink()
        bad.action_easycrm_resume()
        self.assertTrue(self.queue_triggers())
        self.process_by_pages()
        self.hand_over()
        self.assertEqual(bad.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 8)

    def test_whatever_is_wrong_keeps_only_itself(self):
        people = self.make_people(2)
        bad = self.make_mailing(people, "<p><a href='http://[x'>Shop</a></p>")
        good = self.make_mailing(people)
        (bad + good).action_put_in_queue()
        self.process_by_pages()
        self.assertTrue(bad.easycrm_paused)
        self.assertIn("IPv6", bad.easycrm_pause_reason)
        self.hand_over()
        self.assertEqual((bad.state, good.state), ("sending", "done"))

    def test_the_database_s_trouble_is_no_mailing_s_fault(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing.action_put_in_queue()
        with (
            patch.object(
                BulkPages, "write_page", side_effect=OperationalError("no space left")
            ),
            self.assertRaises(OperationalError),
        ):
            self.process_by_pages()
        self.assertFalse(mailing.easycrm_paused)

    def test_one_recipient_keeps_nobody_from_getting_it(self):
        for size, at in ((2, 3), (4, 1), (4, 0), (3, 3)):
            with self.subTest(size=size, at=at):
                self.sendgrid.deliveries.__init__()
                people = self.make_people(4)
                people[at].name = "Prince"
                mailing = self.make_mailing(people, BODY)
                mailing.action_put_in_queue()
                self.process_by_pages(size)
                self.assertFalse(mailing.easycrm_paused)
                trace = self.traces(mailing).filtered(
                    lambda trace: trace.trace_status == "error"
                )
                self.assertEqual(trace.res_id, people[at].id)
                self.assertEqual(trace.email, people[at].email)
                self.assertIn("list index out of range", trace.failure_reason)
                self.hand_over()
                self.assertEqual(mailing.state, "done")
                self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
                told = mailing.easycrm_get_progress()
                self.assertEqual((told["done"], told["total"]), (3, 3))
                self.assertEqual([row["count"] for row in told["failed"]], [1])
                # mended, it is written to him too
                people[at].name = "Prince Rogers"
                mailing.action_retry_failed()
                self.process_by_pages(size)
                self.hand_over()
                self.assertEqual(mailing.state, "done")
                self.assertEqual(len(self.sendgrid.deliveries.all()), 4)

    def test_nor_does_one_that_violates_a_constraint(self):
        people = self.make_people(3)
        bad, good = self.make_mailing(people), self.make_mailing(people[:1])
        write_page, tried = BulkPages.write_page, []

        def violate(pages, page):
            if pages.plain.mass_mailing_id == bad and people[1].id in page:
                tried.append(page)
                raise IntegrityError("violates a constraint")
            return write_page(pages, page)

        (bad + good).action_put_in_queue()
        with (
            patch.object(BulkPages, "write_page", violate),
            patch("odoo.addons.easycrm_mail.easycrm_mail.models.retrying.time"),
        ):
            self.process_by_pages(3)
        # (each time on a fresh snapshot: it may be another transaction's doing)
        self.assertEqual(len(tried) % ATTEMPTS, 0)
        self.hand_over()
        self.assertEqual((bad.state, good.state), ("done", "done"))
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
        trace = self.traces(bad).filtered(lambda trace: trace.trace_status == "error")
        self.assertEqual(trace.res_id, people[1].id)
        self.assertIn("violates a constraint", trace.failure_reason)

    def test_many_of_them_in_a_row_are_no_odd_ones(self):
        people = self.make_people(6)
        people[2:].name = "Prince"
        mailing = self.make_mailing(people, BODY)
        mailing.action_put_in_queue()
        with patch(f"{WIZARDS}.mail_compose_message.ENOUGH", 2):
            self.process_by_pages(2)
        self.assertTrue(mailing.easycrm_paused)
        self.assertIn("Prince", mailing.easycrm_pause_reason)
        self.assertEqual(set(self.statuses(mailing).values()), {"outgoing"})

    def test_odd_ones_take_no_more_time_than_there_is(self):
        people = self.make_people(6)
        people[1].name = "Prince"
        mailing = self.make_mailing(people, BODY)
        mailing.action_put_in_queue()
        progress = self.run_out_of_time(self.queue)
        for _run in range(6):
            self.process_by_pages(6)
            self.assert_it_goes_on_later(progress)
            if mailing.state == "done" or not mailing._get_remaining_recipients():
                break
        self.assertEqual(len(self.traces(mailing)), 6)
        self.assertFalse(mailing.easycrm_paused)
