from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_outgoing_keep
from .sending_case import SendingCase


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

    def pass_month(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE easycrm_email_outgoing"
            " SET write_date = write_date - interval '31 days'"
        )
        self.env.invalidate_all()

    def test_the_text_is_forgotten_and_the_mail_still_known(self):
        mail, cancelled = self.queue(lead_id=self.lead.id), self.queue()
        cancelled.with_user(self.mira).action_cancel()
        self.run_outbox()
        self.pass_month()
        self.outbox._gc_written()
        self.assertFalse(cancelled.exists())
        self.assertEqual((mail.state, mail.body), ("sent", False))
        self.assertEqual(self.sync_sent(), mail.email_id)
        self.assertTimeline(self.lead, ["Offer"])

    def test_however_many_were_written_all_are_cleared_in_a_night(self):
        mails = self.queue() + self.queue() + self.queue()
        self.run_outbox()
        self.pass_month()
        with patch.object(easycrm_email_outgoing_keep, "BATCH", 2):
            self.assertEqual(self.outbox._gc_written(), (2, True))
            self.assertEqual(self.outbox._gc_written(), (1, False))
        self.assertEqual(set(mails.mapped("body")), {False})

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

    def test_a_deleted_user_leaves_no_files_of_what_he_wrote(self):
        writer = self.add_user("writer", "sales_team.group_sale_salesman")
        mail = self.write_mail(writer, account_id=False)
        own, other = self.env["ir.attachment"].create(
            [
                {"name": "own", "res_model": mail._name, "res_id": mail.id},
                {"name": "other", "res_model": "crm.lead", "res_id": self.lead.id},
            ]
        )
        mail.sudo().attachment_ids = own | other
        writer.unlink()
        self.assertFalse(mail.exists())
        self.assertEqual((own | other).exists(), other)
