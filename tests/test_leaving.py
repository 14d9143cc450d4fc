"""Who leaves: an archived user's mailbox stops at once, and what it brought stays."""

from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.modules.migration import load_script
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import sync_run
from ..easycrm_mail.providers import Reconnect
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailCase, MailFixtures
from .mailbox import PASSWORD, RealMailbox


@tagged("post_install", "-at_install")
class TestLeaving(MailCase):
    def leave(self):
        self.mira.action_archive()

    def test_the_mailbox_stops_and_its_password_is_cut(self):
        self.assertTrue(self.mailbox.has_password)
        self.leave()
        self.assertEqual(self.mailbox.sync_status, "stopped")
        self.assertEqual(self.mailbox.sync_health, "stopped")
        self.assertTrue(self.mailbox.stopped_at)
        self.assertFalse(self.mailbox.has_password)
        self.assertFalse(self.mailbox.sudo().imap_secret)
        self.assertEqual(self.mailbox.owner_note, "archived")
        for first in (True, False):
            due = self.env["easycrm.email.account"]._get_due(first)
            self.assertNotIn(self.mailbox, due)
        # nobody else's
        self.assertEqual(self.jonas_mailbox.sync_status, "ok")
        self.assertTrue(self.jonas_mailbox.has_password)
        self.assertFalse(self.jonas_mailbox.owner_note)

    def test_all_of_his_mailboxes_stop_whatever_they_did(self):
        mailboxes = self.mailbox
        for number, status in enumerate(("draft", "incomplete", "error", "paused")):
            mailboxes |= self.connect(
                self.mira, f"mira{number}@ours.example", sync_status=status
            )
        mailboxes |= self.connect(self.mira, "old@ours.example", active=False)
        self.leave()
        self.assertEqual(set(mailboxes.mapped("sync_status")), {"stopped"})
        self.assertFalse(any(mailboxes.mapped("has_password")))

    def test_one_that_was_never_read_may_be_given_to_another_user(self):
        fresh = self.connect(
            self.mira, "new@ours.example", last_sync=False, sync_status="draft"
        )
        self.leave()
        self.assertEqual(fresh.sync_status, "stopped")
        self.as_user(fresh, self.sofia).user_id = self.jonas
        self.assertEqual(fresh.sync_status, "draft")
        self.assertFalse(fresh.stopped_at or fresh.has_password)
        self.assertEqual(self.mailbox.sync_status, "stopped", "that is still hers")

    def test_a_notice_of_a_failure_goes_with_it(self):
        self.mailbox._mark_failed(self.make_error())
        self.assertTrue(self.mailbox.activity_ids)
        self.leave()
        self.assertFalse(self.mailbox.activity_ids)
        self.assertFalse(self.mailbox.last_error)

    @staticmethod
    def make_error():
        return Reconnect("password")

    def test_what_was_read_meanwhile_starts_nothing_again(self):
        self.leave()
        for mark in (
            lambda: self.mailbox._mark_failed(self.make_error()),
            self.mailbox._mark_progress,
            self.mailbox._mark_waiting,
            lambda: self.mailbox._mark_resting(5),
        ):
            mark()
            self.assertEqual(self.mailbox.sync_status, "stopped")
            self.assertEqual(self.mailbox.sync_stage, "idle")

    def test_a_sign_in_that_comes_back_later_is_not_kept(self):
        account = self.connect(self.mira, "mira9@ours.example", provider="gmail").sudo()
        [mailbox] = account._get_mailbox()
        self.leave()
        # (assertRaises would undo what was stored before)
        with suppress(UserError):
            account._connect(mailbox, account.email, "secret", set())
            self.fail("nothing was said")
        self.assertFalse(account._get_grants())
        self.assertEqual(account.sync_status, "stopped")

    def test_linked_mail_stays_for_colleagues_and_unlinked_mail_for_nobody(self):
        linked = self.receive(self.mailbox, subject="Offer")
        unlinked = self.receive(self.mailbox, sender="doctor@private.example")
        self.leave()
        self.assertTimeline(self.anna, ["Offer"], self.jonas)
        self.assertVisible(self.jonas, linked, "everything")
        for user in (self.jonas, self.leonie, self.sofia):
            self.assertVisible(user, unlinked, None)

    def test_the_team_of_a_mailbox_keeps_what_it_sees(self):
        self.mailbox.member_ids = self.jonas
        unlinked = self.receive(self.mailbox, sender="doctor@private.example")
        self.leave()
        self.assertVisible(self.jonas, unlinked, "everything")
        mailbox = self.as_user(self.mailbox, self.jonas)
        self.assertEqual(mailbox.search([("id", "=", mailbox.id)]), mailbox)
        self.assertEqual(mailbox.sync_health, "stopped")

    def test_nobody_starts_it_while_its_owner_is_away(self):
        self.mailbox.member_ids = self.jonas
        self.leave()
        for user in (self.sofia, self.admin):
            mailbox = self.as_user(self.mailbox, user)
            for call in (
                mailbox.action_sync_now,
                mailbox.action_pause,
                mailbox.action_test_connection,
                lambda box=mailbox: box.write({"imap_password": "x"}),
            ):
                with self.assertRaises(UserError):
                    call()
        with self.assertRaisesRegex(UserError, "Mira Maas is archived"):
            self.as_user(self.mailbox, self.jonas).action_sync_now()
        self.assertEqual(self.mailbox.sync_status, "stopped")

    def test_who_opens_a_file_that_is_still_there_is_told_why_it_cannot_be_had(self):
        email = self.receive(
            self.mailbox, attachments=[("plan.pdf", "application/pdf", b"%PDF")]
        )
        self.leave()
        line = self.as_user(email.attachment_line_ids, self.jonas)
        with self.assertRaisesRegex(UserError, "Mira Maas is archived"):
            line._get_bytes()

    def test_back_again_it_waits_for_reconnect_and_goes_on_from_where_it_was(self):
        self.mailbox.folder_ids.checkpoint = "far"
        self.leave()
        self.mira.action_unarchive()
        self.assertEqual(self.mailbox.sync_status, "error")
        self.assertEqual(self.mailbox.last_error_kind, "reconnect")
        self.assertFalse(self.mailbox.next_sync_at)
        self.assertFalse(self.mailbox.stopped_at)
        self.assertFalse(self.mailbox.owner_note)
        self.assertEqual(self.mailbox.activity_ids.user_id, self.mira)
        self.assertEqual(self.mailbox.folder_ids.mapped("checkpoint"), ["far"] * 2)
        self.as_user(self.mailbox, self.mira).imap_password = "new secret"
        self.assertTrue(self.mailbox.next_sync_at)
        due = self.env["easycrm.email.account"]._get_due(first=False)
        self.assertIn(self.mailbox, due)

    def test_one_that_was_never_read_begins_anew(self):
        fresh = self.connect(
            self.leonie, last_sync=False, sync_status="draft", folder_ids=False
        )
        self.leonie.action_archive()
        self.assertEqual(fresh.sync_status, "stopped")
        self.leonie.action_unarchive()
        self.assertEqual(fresh.sync_status, "draft")
        self.assertFalse(fresh.activity_ids)

    def test_an_archived_mailbox_asks_nobody_to_reconnect(self):
        self.mailbox.active = False
        self.leave()
        self.mira.action_unarchive()
        self.assertFalse(self.mailbox.activity_ids)

    def test_who_is_made_a_portal_user_leaves_as_who_is_archived(self):
        portal = self.env.ref("base.group_portal")
        self.mira.group_ids = [Command.set(portal.ids)]
        self.assertTrue(self.mira.active and self.mira.share)
        self.assertEqual(self.mailbox.sync_status, "stopped")
        self.assertFalse(self.mailbox.has_password)
        self.assertEqual(self.mailbox.owner_note, "portal user")
        for first in (True, False):
            due = self.env["easycrm.email.account"]._get_due(first)
            self.assertNotIn(self.mailbox, due)
        with self.assertRaisesRegex(UserError, "Mira Maas has no access"):
            self.as_user(self.mailbox, self.sofia).action_sync_now()
        self.assertEqual(self.jonas_mailbox.sync_status, "ok")

    def test_who_loses_the_right_to_use_email_leaves_too_and_may_come_back(self):
        groups = self.mira.group_ids
        self.mira.write({"group_ids": [Command.set(self.ref_ids("base.group_user"))]})
        self.assertFalse(self.mira.share)
        self.assertEqual(self.mailbox.sync_status, "stopped")
        self.assertEqual(self.mailbox.owner_note, "without access")
        self.mira.group_ids = groups
        self.assertEqual(self.mailbox.sync_status, "error")
        self.assertFalse(self.mailbox.owner_note or self.mailbox.stopped_at)

    def test_who_loses_it_by_his_group_leaves_too(self):
        group = self.env["res.groups"].create(
            {
                "name": "Mail",
                "implied_ids": self.ref_ids("easycrm_mail.group_easycrm_mail_user"),
            }
        )
        self.mira.group_ids = [
            Command.set([*self.ref_ids("base.group_user"), group.id])
        ]
        self.assertEqual(self.mailbox.sync_status, "ok")
        group.implied_ids = [Command.clear()]
        self.assertEqual(self.mailbox.sync_status, "stopped")
        group.implied_ids = self.ref_ids("easycrm_mail.group_easycrm_mail_user")
        self.assertEqual(self.mailbox.sync_status, "error")
        group.user_ids = [Command.unlink(self.mira.id)]
        self.assertEqual(self.mailbox.sync_status, "stopped")

    def test_who_loses_it_with_his_group_leaves_too(self):
        group = self.env["res.groups"].create(
            {
                "name": "Mail",
                "implied_ids": self.ref_ids("easycrm_mail.group_easycrm_mail_user"),
            }
        )
        self.mira.group_ids = [
            Command.set([*self.ref_ids("base.group_user"), group.id])
        ]
        group.unlink()
        self.assertEqual(self.mailbox.sync_status, "stopped")
        self.assertEqual(self.jonas_mailbox.sync_status, "ok")

    def test_nobody_leaves_while_all_is_uninstalled(self):
        group = self.env["res.groups"].create({"name": "Last"})
        name = [("module", "=", "easycrm_mail"), ("name", "like", "group_easycrm%")]
        self.env["ir.model.data"].search(name).unlink()
        group.unlink()
        self.assertEqual(self.mailbox.sync_status, "ok")

    def test_who_lost_access_before_is_found_by_the_update(self):
        self.env.cr.execute(
            "DELETE FROM res_groups_users_rel WHERE uid = %s AND gid <> %s",
            [self.mira.id, *self.ref_ids("base.group_user")],
        )
        self.env.invalidate_all()
        path = Path(__file__).parents[1] / "migrations/19.0.1.5.0/post-portal-owners.py"
        load_script(str(path), "portal_owners").migrate(self.env.cr, "19.0.1.4.0")
        self.assertEqual(self.mailbox.sync_status, "stopped")
        self.assertEqual(self.jonas_mailbox.sync_status, "ok")

    def ref_ids(self, *xml_ids):
        return [self.env.ref(xml_id).id for xml_id in xml_ids]

    def test_other_changes_of_a_user_stop_nothing(self):
        self.mira.write({"active": True, "signature": "Mira"})
        self.assertEqual(self.mailbox.sync_status, "ok")
        self.assertTrue(self.mailbox.has_password)

    def test_who_archives_needs_no_right_to_the_mailbox(self):
        clerk = self.add_user("clerk", "base.group_erp_manager")
        self.as_user(self.mira, clerk).write({"active": False})
        self.assertEqual(self.mailbox.sync_status, "stopped")

    def test_mailboxes_of_those_who_left_before_are_stopped_by_the_update(self):
        self.env.cr.execute(
            "UPDATE res_users SET active = FALSE WHERE id = %s", [self.mira.id]
        )
        self.env.invalidate_all()
        path = Path(__file__).parents[1] / "migrations/19.0.1.3.0/post-leaving.py"
        for _time in range(2):
            load_script(str(path), "leaving").migrate(self.env.cr, "19.0.1.2.0")
            self.env.invalidate_all()
            self.assertEqual(self.mailbox.sync_status, "stopped")
            self.assertEqual(self.jonas_mailbox.sync_status, "ok")

    def test_a_neutralized_copy_leaves_it_stopped(self):
        self.leave()
        self.env.flush_all()
        self.env.cr.execute(";".join(get_neutralization_queries(["easycrm_mail"])))
        self.env.invalidate_all()
        self.assertEqual(self.mailbox.sync_status, "stopped")

    def test_many_users_take_as_many_queries_as_a_few(self):
        def count(number):
            users = self.env["res.users"]
            for index in range(number):
                users |= self.add_user(
                    f"u{number}x{index}", "easycrm_mail.group_easycrm_mail_user"
                )
            for user in users:
                self.connect(user, sync_status="paused")
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.env["easycrm.email.account"]._follow_owners(users)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        self.assertEqual(count(2), count(8))


class LeavingApi(ApiMailbox, MailFixtures):
    """A mailbox that one signs in to."""

    allow_inherited_tests_method = True

    def test_its_grant_goes_and_it_waits_for_a_new_one(self):
        self.deliver("One")
        self.sign_in()
        self.run_crons()
        checkpoints = self.account.folder_ids.mapped("checkpoint")
        self.mira.action_archive()
        self.assertFalse(self.get_grant())
        self.assertEqual(self.account.sync_status, "stopped")
        self.deliver("Two")
        self.run_crons()
        self.assertTimeline(self.anna, ["One"], self.jonas)
        with self.assertRaises(UserError):
            self.begin(user=self.sofia)
        self.mira.action_unarchive()
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.run_crons()
        self.assertTimeline(self.anna, ["One"])
        self.assertFalse(self.sign_in())
        self.assertEqual(self.account.folder_ids.mapped("checkpoint"), checkpoints)
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTimeline(self.anna, ["Two", "One"])
        self.assertFalse(self.account.activity_ids)


@tagged("post_install", "-at_install")
class TestLeavingGmail(LeavingApi, TransactionCase):
    service_class = GmailService

    def get_consents(self):
        consents = self.service.server.oauth.consents
        return [one for one in consents if one.email == self.address]

    def test_the_grant_is_given_back_when_it_is_certain(self):
        self.sign_in()
        self.mira.action_archive()
        self.assertTrue(self.get_consents())
        self.env.cr.postcommit.run()
        self.assertFalse(self.get_consents())

    def test_it_is_archived_all_the_same_where_google_does_not_answer(self):
        self.sign_in()
        self.mira.action_archive()
        self.service.server.break_("/revoke", "500")
        self.env.cr.postcommit.run()
        self.assertEqual(self.account.sync_status, "stopped")


@tagged("post_install", "-at_install")
class TestLeavingOutlook(LeavingApi, TransactionCase):
    service_class = OutlookService


@tagged("post_install", "-at_install")
class TestLeavingImap(RealMailbox, MailCase):
    def test_it_stops_at_once_in_the_middle_of_a_reading(self):
        self.deliver("Received")
        self.deliver("Sent", folder="Sent")
        store = sync_run.SyncRun._store_batch

        def leave_then(run, account, session, pulled):
            count = store(run, account, session, pulled)
            account.user_id.active = False
            return count

        with patch.object(sync_run.SyncRun, "_store_batch", leave_then):
            self.start()
        self.assertEqual(self.account.sync_status, "stopped")
        self.assertEqual(self.count_copies(), 1)
        self.mira.action_unarchive()
        self.as_user(self.account, self.mira).imap_password = PASSWORD
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.count_copies(), 2)

    def count_copies(self):
        copies = self.env["easycrm.email.copy"]
        return copies.search_count([("account_id", "=", self.account.id)])

    def test_it_goes_on_from_where_it_was_when_the_owner_is_back(self):
        self.deliver("One")
        self.start()
        self.assertTimeline(self.anna, ["One"])
        self.mira.action_archive()
        self.deliver("Two")
        self.run_cron()
        self.assertTimeline(self.anna, ["One"], self.jonas)
        self.mira.action_unarchive()
        self.run_cron()
        self.assertTimeline(self.anna, ["One"])
        self.as_user(self.account, self.mira).imap_password = PASSWORD
        self.run_cron()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTimeline(self.anna, ["Two", "One"])
