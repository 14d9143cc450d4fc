"""What administrators set for all: the sync's interval, attachments, colleagues."""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, get_db_name, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models import easycrm_email_address_colleagues as colleagues
from .mailbox import RealMailbox
from .settings_case import SettingsCase


@tagged("post_install", "-at_install")
class TestSettings(SettingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cron = cls.env.ref("easycrm_mail.ir_cron_email_sync")

    def test_what_holds_before_anything_is_set(self):
        self.assertEqual(
            self.read(),
            {
                "sync_enabled": True,
                "sync_minutes": 5,
                "keep_attachments": True,
                "match_colleagues": False,
                "esp_id": False,
                "share_limit": "everything",
                "share_default": "everything",
                "unlinked_days": 0,
                "google_client_id": False,
                "microsoft_client_id": False,
                "microsoft_tenant": False,
            },
        )
        self.save()
        self.assertFalse(
            self.env["ir.config_parameter"].search_count(
                [("key", "=like", "easycrm_mail.%")]
            )
        )

    def test_the_cron_follows(self):
        self.save(sync_minutes=2)
        self.assertEqual(
            (self.cron.interval_number, self.cron.interval_type), (2, "minutes")
        )
        self.save(sync_enabled=False)
        self.assertFalse(self.cron.active)
        self.assertFalse(self.read()["sync_enabled"])
        self.save(sync_enabled=True)
        self.assertTrue(self.cron.active)
        self.assertTrue(self.read()["sync_enabled"])
        self.assertEqual(self.read()["sync_minutes"], 2)

    def test_a_wish_that_is_no_number_is_none(self):
        for wish in ("5 min", "0", "-3", "²", "9" * 30):
            self.env["ir.config_parameter"].set_param("easycrm_mail.sync_minutes", wish)
            self.assertEqual(self.read()["sync_minutes"], 5)
            self.env["easycrm.email.account"]._apply_schedule()
            self.assertEqual(self.cron.interval_number, 5)

    def test_a_shorter_interval_does_not_wait_for_the_longer_one(self):
        self.save(sync_minutes=60 * 24)
        now = fields.Datetime.now()
        self.cron.nextcall = now + timedelta(days=1)
        self.save(sync_minutes=10)
        self.assertLessEqual(self.cron.nextcall, now + timedelta(minutes=11))

    def test_the_page_shows_what_was_changed_in_scheduled_actions(self):
        self.cron.write({"interval_number": 2, "interval_type": "hours"})
        self.assertEqual(self.read()["sync_minutes"], 120)
        self.save(keep_attachments=False)
        self.assertEqual(
            (self.cron.interval_number, self.cron.interval_type), (2, "hours")
        )
        self.cron.active = False
        self.assertFalse(self.read()["sync_enabled"])
        self.cron.active = True
        self.assertTrue(self.read()["sync_enabled"])

    def test_switched_on_in_scheduled_actions_it_is_on(self):
        self.save(sync_enabled=False)
        self.cron.active = True
        self.assertTrue(self.read()["sync_enabled"])
        self.assertFalse(self.get_param("sync_enabled"))

    def test_of_several_wishes_the_last_one_counts(self):
        with self.cron_is_running():
            self.save(sync_minutes=7)
            self.save(sync_minutes=9)
            self.assertEqual(self.read()["sync_minutes"], 9)
        self.assertEqual(self.cron.interval_number, 5)
        self.run_backfill()
        self.assertEqual(self.cron.interval_number, 9)

    def test_a_change_in_scheduled_actions_overrules_a_wish(self):
        with self.cron_is_running():
            self.save(sync_minutes=7, sync_enabled=False)
        self.cron.write({"interval_number": 15, "active": True})
        self.run_backfill()
        self.assertEqual((self.cron.active, self.cron.interval_number), (True, 15))
        self.assertTrue(self.read()["sync_enabled"])

    @contextmanager
    def cron_is_running(self):
        """Have another connection hold the cron's row, as Odoo's worker does."""
        with db_connect(get_db_name()).cursor() as cr:
            cr.execute(
                "SELECT FROM ir_cron WHERE id = %s FOR NO KEY UPDATE NOWAIT",
                [self.cron.id],
            )
            yield
            cr.rollback()

    def test_the_page_can_be_saved_without_the_cron(self):
        self.cron.unlink()
        self.assertFalse(self.read()["sync_enabled"])
        self.save(keep_attachments=False)
        self.assertFalse(self.read()["keep_attachments"])

    def test_without_the_cron_nobody_is_told_that_mailboxes_are_read(self):
        self.cron.unlink()
        with self.assertRaisesRegex(UserError, "was deleted"):
            self.save(sync_enabled=True, sync_minutes=3)
        # (wished for before the cron was deleted)
        self.env["ir.config_parameter"].set_param("easycrm_mail.sync_enabled", "True")
        self.assertFalse(self.read()["sync_enabled"])
        self.save(keep_attachments=False)

    def test_less_than_a_minute_and_more_than_a_day_are_refused(self):
        for minutes in (0, -5, 1441, 2**31 - 1):
            with self.assertRaises(ValidationError):
                self.save(sync_minutes=minutes)
        self.save(sync_minutes=1440)
        self.save(sync_enabled=False, sync_minutes=0)
        self.save(sync_enabled=True)
        self.assertEqual(self.read()["sync_minutes"], 1440)

    def test_what_was_set_in_scheduled_actions_keeps_nobody_from_saving(self):
        self.cron.write({"interval_number": 2, "interval_type": "days"})
        self.save(keep_attachments=False)
        self.assertEqual(self.cron.interval_type, "days")

    def test_no_mailbox_is_up_to_date_while_none_is_read(self):
        account = self.mailbox
        account.write({"sync_status": "ok", "last_sync": fields.Datetime.now()})
        self.assertEqual(account.sync_health, "ok")
        self.save(sync_enabled=False)
        account.invalidate_recordset(["sync_health"])
        self.assertEqual(account.sync_health, "off")

    def test_only_administrators_set_them(self):
        for user in (self.sofia, self.mira):
            with self.assertRaises(AccessError), mute_logger("odoo.models"):
                self.env["res.config.settings"].with_user(user).create({})

    def test_others_change_nothing_by_calling_what_saves_them(self):
        before = self.read()
        for user in (self.mira, self.sofia, self.portal):
            Settings = self.as_user(self.env["res.config.settings"], user)
            with self.assertRaises(AccessError):
                Settings.set_values()
        self.assertEqual(self.read(), before)

    def test_attachments(self):
        self.save(keep_attachments=False)
        self.assertEqual(self.get_param("keep_attachments"), "False")
        self.assertFalse(self.read()["keep_attachments"])
        self.save(keep_attachments=True)
        self.assertTrue(self.read()["keep_attachments"])


@tagged("post_install", "-at_install")
class TestSwitchedOff(RealMailbox, SettingsCase, TransactionCase):
    def test_off_stops_the_next_run_and_on_brings_what_was_missed(self):
        self.start()
        self.deliver("Late")
        self.save(sync_enabled=False)
        self.run_cron()
        self.assertFalse(self.anna.easycrm_email_link_ids)
        action = self.account.with_user(self.mira).action_sync_now()
        self.assertIn("switched off", action["params"]["message"])
        self.save(sync_enabled=True)
        self.run_cron()
        self.assertTrue(self.anna.easycrm_email_link_ids)
        action = self.account.with_user(self.mira).action_sync_now()
        self.assertIn("is being read", action["params"]["message"])


@tagged("post_install", "-at_install")
class TestColleagues(SettingsCase):
    """The switch that lets addresses of our own people find mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.jonas.partner_id
        cls.internal = cls.send(cls.mailbox, "jonas@ours.example")

    def test_switched_on_the_mail_that_is_here_is_placed_in_the_background(self):
        deal = self.add_lead("Deal", self.mira, "sales@ours.example")
        self.connect(self.mira, "sales@ours.example")
        to_team = self.send(self.jonas_mailbox, "sales@ours.example")
        cron = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        with self.capture_triggers(cron.id) as captured:
            self.save(match_colleagues=True)
        self.assertTrue(captured.records)
        self.assertLinked(self.internal, [])
        self.run_backfill()
        self.assertLinked(self.internal, [self.partner])
        self.assertLinked(to_team, [deal])

    def test_switched_off_what_came_by_it_goes(self):
        self.save(match_colleagues=True)
        self.run_backfill()
        late = self.send(self.mailbox, "jonas@ours.example, anna@acme.example")
        placed = self.send(self.mailbox, "jonas@ours.example")
        placed.link_ids.origin = "manual"
        removed = self.send(self.mailbox, "jonas@ours.example")
        removed.link_ids.removed = True
        self.assertLinked(late, [self.partner, self.anna])
        self.save(match_colleagues=False)
        # from now on, nothing new
        self.assertLinked(self.send(self.mailbox, "jonas@ours.example"), [])
        self.run_backfill()
        self.assertLinked(self.internal, [])
        self.assertLinked(late, [self.anna])
        self.assertLinked(placed, [self.partner])
        self.assertTrue(removed.link_ids.removed)
        # and on again: what was taken off by hand stays off
        self.save(match_colleagues=True)
        self.run_backfill()
        self.assertLinked(self.internal, [self.partner])
        self.assertLinked(removed, [])

    def test_a_record_that_has_another_address_in_the_email_keeps_it(self):
        contact = self.env["res.partner"].create(
            {"name": "J", "email": "jonas@ours.example, jonas@home.example"}
        )
        self.cr.flush()
        self.save(match_colleagues=True)
        email = self.send(self.mailbox, "jonas@ours.example", cc="jonas@home.example")
        self.assertLinked(email, [contact, self.partner])
        self.save(match_colleagues=False)
        self.run_backfill()
        self.assertLinked(email, [contact])
        self.assertEqual(email.link_ids.address, "jonas@home.example")

    def test_switched_on_and_off_at_once_leaves_nothing(self):
        self.save(match_colleagues=True)
        email = self.send(self.mailbox, "jonas@ours.example")
        self.assertLinked(email, [self.partner])
        self.save(match_colleagues=False)
        self.run_backfill()
        self.assertLinked(email, [])

    def switch_off_and_begin(self):
        """Switch off with five links to be taken off; do the first two."""
        self.save(match_colleagues=True)
        emails = self.internal
        for _number in range(4):
            emails += self.send(self.mailbox, "jonas@ours.example")
        self.run_backfill()
        self.assertEqual(self.count_linked(emails), 5)
        self.save(match_colleagues=False)
        with patch.object(colleagues, "LOOKED_AT", 2):
            self.assertTrue(self.env["easycrm.email.address"]._follow_colleagues())
        self.assertEqual(self.count_linked(emails), 3)
        return emails

    def count_linked(self, emails):
        self.env.flush_all()
        return len(
            emails.link_ids.filtered(lambda link: link.partner_id == self.partner)
        )

    def test_switched_off_it_goes_in_batches_and_on_from_where_it_was(self):
        emails = self.switch_off_and_begin()
        # one that was looked at is not looked at again
        seen = self.send(self.mailbox, "anna@acme.example").link_ids
        self.cr.execute(
            "UPDATE easycrm_email_link SET id = 1, address = %s WHERE id = %s",
            ["jonas@ours.example", seen.id],
        )
        self.env.invalidate_all()
        with patch.object(colleagues, "LOOKED_AT", 2):
            self.run_backfill()
        self.assertEqual(self.count_linked(emails), 0)
        self.assertTrue(seen.browse(1).exists())
        self.assertFalse(self.get_param("match_colleagues_since"))
        self.assertFalse(self.get_param("match_colleagues_taken_off"))

    def test_switched_on_again_amid_it_all_comes_back(self):
        emails = self.switch_off_and_begin()
        self.save(match_colleagues=True)
        self.run_backfill()
        self.assertEqual(self.count_linked(emails), 5)
        self.save(match_colleagues=False)
        self.run_backfill()
        self.assertEqual(self.count_linked(emails), 0)

    def test_turned_in_the_system_parameters_it_is_followed_too(self):
        params = self.env["ir.config_parameter"]
        for value, records in (
            ("True", [self.partner]),
            ("False", []),
            ("1", [self.partner]),
            (False, []),
        ):
            with self.subTest(value=value):
                params.set_param("easycrm_mail.match_colleagues", value)
                self.run_backfill()
                self.assertLinked(self.internal, records)

    def test_a_customer_who_is_hired_keeps_the_mail_that_is_there(self):
        before = self.receive(self.mailbox, sender="bruno@beck.example")
        self.cr.execute(  # (to PostgreSQL, a test is a single moment)
            "UPDATE easycrm_email_link SET create_date = create_date - interval '1 day'"
        )
        self.add_user("bruno", "base.group_user", partner_id=self.bruno.id)
        self.follow_addresses()
        after = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(before, [self.bruno])
        self.assertLinked(after, [])
        # the switch does not take it away either
        self.save(match_colleagues=True)
        self.run_backfill()
        self.assertLinked(after, [self.bruno])
        self.save(match_colleagues=False)
        self.run_backfill()
        self.assertLinked(before, [self.bruno])
        self.assertLinked(after, [])

    def test_a_new_colleagues_mail_stands_nowhere(self):
        email = self.receive(self.mailbox, sender="nina@ours.example")
        self.add_user("nina", "base.group_user")
        self.follow_addresses()
        self.assertLinked(email, [])
