"""How long emails are kept that stand nowhere: to the day, and gone for good."""

from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from unittest.mock import patch

import pytz
from freezegun import freeze_time
from psycopg2.errors import SerializationFailure

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_retention as retention
from .common import raw_mail
from .retention_case import RetentionCase

#: Zones at both ends of the day, with half hours, and with clocks that change at
#: midnight, and days on which they do; there is no 30 December 2011 in Samoa.
DAYS = {
    "UTC": ["2026-11-30"],
    "Pacific/Kiritimati": ["2026-11-30", "2026-01-01"],
    "Pacific/Pago_Pago": ["2026-11-30", "2026-03-01"],
    "Asia/Kathmandu": ["2026-11-30"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25", "2026-03-30", "2026-10-26"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/Havana": ["2026-03-08", "2026-11-01"],
    "Africa/Cairo": ["2026-04-24", "2026-10-30", "2026-04-25"],
    "America/Sao_Paulo": ["2018-11-04", "2018-02-18"],
    "Pacific/Apia": ["2011-12-31", "2012-01-01"],
}


@tagged("post_install", "-at_install")
class TestRetention(RetentionCase):
    """Mail of somebody whom nobody knows is kept for ten days."""

    # --- which ---

    def test_nothing_is_deleted_before_anything_is_set(self):
        email = self.stranger(age=3000)
        self.purge()
        self.assertKept(email)
        self.assertIsNone(email._get_retention_date(self.company_a))

    def test_what_is_no_number_of_days_deletes_nothing(self):
        email = self.stranger(age=3000)
        for value in ("", "0", "-1", "ten", "1e1", "²", "9" * 30, "1.5"):
            with self.subTest(value):
                self.keep(value)
                self.purge()
                self.assertKept(email)

    def test_old_and_on_no_record_it_goes_with_all_that_is_of_it(self):
        raw = raw_mail(
            "somebody@far.example",
            attachments=[("plan.pdf", "application/pdf", b"%PDF")],
            date=self.NOW - timedelta(days=11),
        )
        old = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        self.keep_files(old.attachment_line_ids, raw)
        new = self.stranger(age=9)
        parts = {
            model: self.env[model].search([("email_id", "=", old.id)])
            for model in self.env
            if model.startswith("easycrm.email") and "email_id" in self.env[model]
            if not self.env[model]._transient and self.env[model]._auto
        }
        kept = {name for name, records in parts.items() if records}
        self.assertLess({"easycrm.email.content", "easycrm.email.copy"}, kept)
        file, thread = old.attachment_line_ids.attachment_id, old.thread_id
        self.assertTrue(file)
        self.keep(10)
        self.purge()
        self.assertGone(old, file, thread, *parts.values())
        self.assertKept(new)
        self.assertTrue(new.subject)

    def test_what_stands_on_a_record_stays_whoever_holds_it(self):
        linked = self.receive(self.mailbox, date=self.NOW - timedelta(days=400))
        by_hand = self.stranger(age=400)
        self.env["easycrm.email.link"].create(
            {"email_id": by_hand.id, "partner_id": self.bruno.id}
        )
        self.keep(10)
        self.purge()
        self.assertKept(linked | by_hand)

    def test_ignored_mail_goes_too(self):
        email = self.stranger(age=11)
        email.copy_ids.ignored = True
        self.keep(10)
        self.purge()
        self.assertGone(email)

    def test_mail_of_an_archived_mailbox_goes_too(self):
        email = self.stranger(age=11)
        self.mailbox.active = False
        self.keep(10)
        self.purge()
        self.assertGone(email)

    def test_what_was_taken_off_goes_and_does_not_come_back_to_the_record(self):
        raw = raw_mail(date=self.NOW - timedelta(days=11))
        email = self.deliver(self.mailbox, raw)
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.keep(10)
        with freeze_time(self.NOW + timedelta(days=11)):
            self.purge()
            self.assertGone(email)
            self.assertFalse(self.deliver(self.mailbox, raw), "it matches Anna")

    def test_what_has_left_its_record_is_kept_for_as_long_from_then_on(self):
        ages = {"date": self.NOW - timedelta(days=400)}
        off, by_field, by_undo = (
            self.receive(self.mailbox, sender=f"{name}@{domain}", **ages)
            for name, domain in (
                ("anna", "acme.example"),
                ("bruno", "beck.example"),
                ("somebody", "far.example"),
            )
        )
        deleted = self.env["res.partner"].create(
            {"name": "Twice", "email": "twice@far.example"}
        )
        of_deleted = self.receive(self.mailbox, sender="twice@far.example", **ages)
        inbox = self.as_user(self.env["easycrm.email.copy"], self.mira)
        copy = self.copy_in(self.mailbox, by_undo)
        step = inbox.link_to(copy.ids, "res.partner", self.anna.id)["batch"]
        left = off | by_field | by_undo | of_deleted
        for email in left:
            self.assertTrue(email.is_linked)
        self.as_user(off.link_ids, self.mira).action_take_off()
        self.bruno.email = "slip@far.example"
        inbox.undo(step)
        deleted.unlink()
        self.follow_addresses()
        never = self.stranger(age=400)
        self.keep(10)
        for email in left:
            self.assertFalse(email.is_linked)
        with freeze_time(self.NOW + timedelta(days=10)):
            self.assertEqual(self.env["easycrm.email"]._count_expired(10)[0], 1)
            self.purge()
            self.assertKept(left)
            self.assertGone(never)
        with freeze_time(self.NOW + timedelta(days=11)):
            # (what stands on a record again meanwhile stays there)
            self.bruno.email = "bruno@beck.example"
            self.follow_addresses()
            self.assertEqual(self.env["easycrm.email"]._count_expired(10)[0], 3)
            self.purge()
            self.assertGone(off, by_undo, of_deleted)
            self.assertKept(by_field)

    def test_a_conversation_that_was_made_private_stays_private(self):
        email = self.stranger(age=11)
        self.make_private(email)
        root, thread = email.message_id, email.thread_id
        self.keep(10)
        self.purge()
        self.assertGone(email)
        answer = self.receive(self.mailbox, date=self.NOW, references=[root])
        self.assertEqual(answer.thread_id, thread)
        self.assertVisible(self.jonas, answer, None)

    def test_it_goes_in_batches(self):
        self.keep(10)
        self.deliver(
            self.mailbox,
            *(
                raw_mail("somebody@far.example", date=self.NOW - timedelta(days=age))
                for age in (9, 8)
            ),
        )
        self.keep(0)
        emails = self.deliver(
            self.mailbox,
            *(
                raw_mail("somebody@far.example", date=self.NOW - timedelta(days=age))
                for age in (12, 15, 11, 14, 13)
            ),
        )
        self.keep(10)
        left = []
        with patch.object(retention, "BATCH", 2):
            while self.env["easycrm.email"]._gc_unlinked()[1]:
                self.env.flush_all()
                left.append(len(emails.exists()))
        self.assertEqual(left, [3, 1, 0])
        self.assertGone(*emails)
        self.assertEqual(
            self.env["easycrm.email.copy"].search_count(
                [("account_id", "=", self.mailbox.id)]
            ),
            2,
        )

    def test_another_transaction_that_crosses_puts_it_off_and_breaks_nothing(self):
        email = self.stranger(age=11)
        self.keep(10)
        self.env.flush_all()
        Email = self.env.registry["easycrm.email"]
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            emails = email.with_env(self.env(cr=cr)).browse()
            with patch.object(Email, "_delete", side_effect=SerializationFailure):
                self.assertEqual(emails._gc_unlinked(), (0, True))
            self.assertEqual(emails._gc_unlinked(), (1, True))
            self.assertEqual(emails._gc_unlinked(), (0, False))
        self.env.invalidate_all()
        self.assertGone(email)

    # --- to the day ---

    def test_a_time_zone_that_is_none_any_more_keeps_no_mail_out(self):
        self.env["ir.config_parameter"].set_param(retention.DAYS, "30")
        self.company_a.resource_calendar_id = False
        self.env.cr.execute(
            "UPDATE res_partner SET tz = 'US/Pacific-New' WHERE id = %s",
            [self.company_a.partner_id.id],
        )
        self.env.invalidate_all()
        self.assertEqual(
            self.env["easycrm.email"]._get_company_zone(self.company_a), "UTC"
        )

    def test_it_is_exact_to_the_day_in_every_time_zone(self):
        for zone_name, days in DAYS.items():
            zone = pytz.timezone(zone_name)
            self.use_zone(zone_name)
            for today in map(date.fromisoformat, days):
                for kept in (1, 2, 10):
                    with self.subTest(zone=zone_name, today=today, kept=kept):
                        self.check_day(zone, today, kept)

    def check_day(self, zone, today, kept):
        """All day long one and the same day is the oldest that is kept, as a whole."""
        Email = self.env["easycrm.email"]
        first = retention.begin_of(today, zone)
        self.assertEqual(self.local(first, zone).date(), today)
        self.assertLess(self.local(first - timedelta(seconds=1), zone).date(), today)
        last = retention.begin_of(today + timedelta(days=1), zone)
        oldest = today - timedelta(days=kept)
        for now in (
            first,
            first + timedelta(minutes=1),
            last - timedelta(seconds=60),
            last - timedelta(seconds=1),
        ):
            with freeze_time(now):
                limit = Email._get_retention_date(self.company_a, kept)
            # (there are days that a zone has left out)
            self.assertGreaterEqual(self.local(limit, zone).date(), oldest)
            before = self.local(limit - timedelta(seconds=1), zone)
            self.assertLess(before.date(), oldest)

    @staticmethod
    def local(moment, zone):
        return pytz.utc.localize(moment).astimezone(zone)

    def test_a_minute_before_midnight_and_a_minute_after(self):
        """Kiritimati is 14 hours ahead, Pago Pago 11 hours behind."""
        for zone_name in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"):
            zone = pytz.timezone(zone_name)
            self.use_zone(zone_name)
            midnight = zone.localize(datetime(2026, 11, 30)).astimezone(pytz.utc)
            minute = timedelta(minutes=1)
            self.keep(0)
            with freeze_time(midnight.replace(tzinfo=None)):
                late = self.stranger(date=midnight - timedelta(days=2) - minute)
                early = self.stranger(date=midnight - timedelta(days=2) + minute)
            self.keep(1)
            with self.subTest(zone_name):
                with freeze_time((midnight - minute).replace(tzinfo=None)):
                    self.purge()
                self.assertGone(late)
                self.assertKept(early)
                with freeze_time((midnight + minute).replace(tzinfo=None)):
                    self.purge()
                self.assertGone(early)

    def test_each_company_has_days_of_its_own(self):
        branch = self.connect(self.bea)
        self.use_zone("Pacific/Kiritimati")
        self.use_zone("Pacific/Pago_Pago", self.company_b)
        # (the 29th in Kiritimati, the 28th in Pago Pago)
        at = datetime(2026, 11, 28, 20, tzinfo=timezone.utc)
        ours, theirs = self.stranger(date=at), self.stranger(branch, date=at)
        self.keep(1)
        with freeze_time("2026-11-30 10:30:00"):  # 1 December, 29 November
            self.purge()
        self.assertGone(ours)
        self.assertKept(theirs)

    # --- what Settings tell before ---

    @contextmanager
    def settings(self, **values):
        names = {f"easycrm_{name}": value for name, value in values.items()}
        Settings = self.env["res.config.settings"].with_user(self.admin)
        yield Settings.new(names)

    def test_the_page_tells_what_it_would_delete_before_it_is_saved(self):
        self.stranger(age=210)
        self.stranger(age=20)
        self.stranger(self.jonas_mailbox, age=30)
        self.receive(self.mailbox, date=self.NOW - timedelta(days=300))
        would = "This would delete %s, the oldest from May 4, 2026."
        for days, words in (
            (0, False),
            (365, "Nothing that is here is that old."),
            (10, would % "3 emails of 2 mailboxes now"),
            (25, would % "2 emails of 2 mailboxes now"),
            (100, "This would delete 1 email now, from May 4, 2026."),
            (-1, False),
            (10**7, False),
        ):
            with self.subTest(days=days), self.settings(unlinked_days=days) as page:
                self.assertEqual(page.easycrm_unlinked_preview, words)
        emails, mailboxes, _oldest = self.env["easycrm.email"]._count_expired(10)
        before = self.env["easycrm.email"].search_count([])
        self.save(unlinked_days=10)
        self.purge()
        after = self.env["easycrm.email"].search_count([])
        self.assertEqual((before - after, mailboxes), (emails, 2))

    def test_it_is_set_and_switched_off_again(self):
        self.save(unlinked_days=30)
        self.assertEqual(self.read()["unlinked_days"], 30)
        self.assertEqual(self.get_param("unlinked_days"), "30")
        self.save(unlinked_days=0)
        self.assertEqual(self.read()["unlinked_days"], 0)
        self.assertFalse(self.get_param("unlinked_days"))
        for days in (-1, 40_000):
            with self.assertRaises(ValidationError):
                self.save(unlinked_days=days)
