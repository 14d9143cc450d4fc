from odoo import fields
from odoo.tests import tagged

from .unlinked_case import UnlinkedCase


@tagged("post_install", "-at_install")
class TestUnlinkedEmpty(UnlinkedCase):
    """Why nothing waits: the server says so, the screen never guesses."""

    def empty(self, user=None):
        return self.inbox(user).unlinked_empty()

    def test_who_has_no_mailbox_is_asked_to_connect_one(self):
        self.assertEqual(self.empty(self.leonie), {"kind": "connect", "left": False})

    def test_a_mailbox_that_was_left_is_gone_on_with(self):
        draft = self.connect(self.leonie, "leonie@ours.example", sync_status="draft")
        draft.connect_state = {"step": "look", "at": "2026-01-30 09:00:00"}
        empty = self.empty(self.leonie)
        self.assertEqual(empty["kind"], "connect")
        self.assertEqual(empty["left"]["id"], draft.id)
        self.assertEqual(empty["left"]["email"], "leonie@ours.example")

    def test_the_first_reading_is_not_taken_for_an_end(self):
        self.mailbox.last_sync = False
        self.assertEqual(self.empty()["kind"], "first_sync")
        self.mailbox.last_sync = fields.Datetime.now()
        self.assertEqual(self.empty()["kind"], "nothing")

    def test_a_teams_mailbox_is_its_members_too(self):
        self.mailbox.member_ids = self.leonie
        self.assertEqual(self.empty(self.leonie)["kind"], "nothing")
