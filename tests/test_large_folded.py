from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..easycrm_mail.models.ingest_bodies import BodyIngest
from .large_mailbox import LargeMailbox
from .live_case import LiveCase


@tagged("post_install", "-at_install")
class TestLargeFolded(LargeMailbox, LiveCase):
    """Opened, it is folded into the email that another mailbox held whole."""

    def fold(self, **values):
        """Have Mira read by headers what Jonas has opened already."""
        self.raw = self.large_mail(**values)
        self.put(self.raw)
        self.read_mailbox()
        self.mine = self.emails()
        self.second, login = self.connect_second()
        self.put(self.raw, login=login)
        self.read_mailbox(self.second)
        self.theirs = self.open(self.emails(self.second), self.jonas)
        self.assertNotEqual(self.theirs, self.mine)

    def test_two_mailboxes_share_one_email_once_both_were_opened(self):
        self.fold()
        email = self.open(self.mine)
        self.assertEqual(email, self.theirs)
        self.assertFalse(self.mine.exists())
        self.assertEqual(email.copy_ids.account_id, self.account | self.second)
        self.assertEqual(len(email.copy_ids.location_ids), 2)
        self.assertEqual(len(email.attachment_line_ids), 1)
        self.assertEqual(len(email.participant_ids), 2)
        self.assertLinked(email, [self.anna])
        self.assertEqual(len(email.link_ids), 1)
        self.assertEqual(len(self.read_timeline(self.anna)), 1)
        self.server.recreate(self.login)
        self.read_mailbox()
        self.assertEqual(self.emails(), email)

    def test_the_backfill_tries_again_when_the_email_comes_at_the_same_time(self):
        self.fold()
        self.mine._read_large_later()
        find = BodyIngest._find_emails
        snapshots = []

        def find_late(ingest, identities):
            # the first snapshot is older than the email of the other mailbox
            snapshots.append(ingest)
            return find(ingest, identities) if len(snapshots) > 1 else {}

        with patch.object(BodyIngest, "_find_emails", find_late):
            self.run_cron("_cron_backfill")
        self.assertEqual(len(snapshots), 2)
        self.assertEqual(self.emails(), self.theirs)

    def test_open_timelines_are_told_of_the_email_that_stays(self):
        self.fold(date=datetime.now(timezone.utc) - timedelta(days=30))
        lead = self.add_lead("Hall", self.mira)
        Link = self.env["easycrm.email.link"].sudo()
        Link.create({"email_id": self.mine.id, "lead_id": lead.id})
        self.read_pings()
        self.open(self.mine)
        self.assertPinged(self.anna, self.acme, lead)

    def test_of_a_private_conversation_nobody_is_told_when_it_is_folded(self):
        self.fold()
        self.make_private(self.mine)
        self.read_pings()
        self.open(self.mine)
        self.assertPinged()

    def test_links_by_hand_and_tombstones_win(self):
        self.fold(cc="bruno@beck.example")
        lead = self.add_lead("Hall", self.mira)
        Link = self.env["easycrm.email.link"].sudo()
        Link.create({"email_id": self.mine.id, "lead_id": lead.id})
        off = self.mine.link_ids.filtered(lambda link: link.partner_id == self.bruno)
        self.as_user(off, self.mira).action_take_off()
        auto = self.theirs.link_ids.filtered(lambda link: link.partner_id == self.anna)
        email = self.open(self.mine)
        self.assertLinked(email, [self.anna, lead])
        self.assertEqual(len(email.link_ids), 3)
        self.assertIn(auto, email.link_ids)
        self.assertEqual(email.link_ids.thread_id, email.thread_id)
        # who took it off may still put it back
        off = email.link_ids.filtered("removed")
        self.assertEqual((off.partner_id, off.write_uid), (self.bruno, self.mira))
        off.with_user(self.mira).action_put_back()
        self.assertLinked(email, [self.anna, self.bruno, lead])

    def test_of_two_acts_by_hand_the_later_one_stays(self):
        self.fold()
        for email, removed, write_date in (
            (self.mine, True, "2026-03-01 10:00:00"),
            (self.theirs, False, "2026-03-02 10:00:00"),
        ):
            email.link_ids.write({"removed": removed, "origin": "manual"})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE easycrm_email_link SET write_date = %s WHERE email_id = %s",
                [write_date, email.id],
            )
        self.env.invalidate_all()
        email = self.open(self.mine)
        self.assertLinked(email, [self.anna])
        self.assertEqual(len(email.link_ids), 1)

    def test_mail_that_stood_nowhere_is_freed_or_linked_with_it(self):
        self.fold(sender="stranger@else.example")
        Link = self.env["easycrm.email.link"].sudo()
        Link.create({"email_id": self.theirs.id, "partner_id": self.bruno.id})
        email = self.open(self.mine)
        self.assertLinked(email, [self.bruno])

    def test_an_attachment_of_the_email_that_stays_is_for_those_who_may_see_it(self):
        raw = self.large_mail()
        account, login = self.connect_second(
            self.sofia, email="sofia.real@ours.example"
        )
        self.put(raw, login=login)
        self.read_mailbox(account)
        twin = self.open(self.emails(account), self.sofia)
        self.as_user(twin.link_ids, self.sofia).action_take_off()
        self.put(raw)
        self.read_mailbox()
        mine = self.emails() - twin
        self.assertVisible(self.jonas, twin, None)
        with self.assertRaises(AccessError):
            self.as_user(mine.attachment_line_ids, self.jonas)._get_bytes()

    def test_their_conversations_become_one(self):
        self.fold(references=["<root@acme.example>"])
        first = self.mine.thread_id
        self.assertEqual(first, self.theirs.thread_id)
        other = (
            self.env["easycrm.email.thread"]
            .sudo()
            .create(
                {
                    "company_id": self.company_a.id,
                    "root": "<elsewhere@acme.example>",
                    "privacy": "private",
                }
            )
        )
        self.mine.thread_id = other
        self.env.flush_all()
        email = self.open(self.mine)
        self.assertEqual(email.thread_id, first)
        self.assertEqual(first.privacy, "private")
        self.assertFalse(other.exists())
