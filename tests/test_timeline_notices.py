"""What a timeline says where it is empty, and where mail may be missing on it."""

from odoo import fields
from odoo.tests import tagged

from .timeline_case import TimelineCase


@tagged("post_install", "-at_install")
class TestTimelineNotices(TimelineCase):
    # --- nothing to show ---

    def test_an_empty_timeline_leads_back_to_what_was_left(self):
        draft = self.as_user(self.mailbox.browse(), self.leonie).create(
            {"email": "leonie.new@ours.example"}
        )
        page = self.open(self.anna, self.leonie)
        self.assertFalse(page["empty_detail"]["left"])
        draft.connect_leave("sign_in", {})
        page = self.open(self.anna, self.leonie)
        self.assertEqual(page["empty"], "connect")
        left = page["empty_detail"]["left"]
        self.assertEqual((left["id"], left["email"]), (draft.id, draft.email))
        self.assertIn("You stopped at “Sign in” today at", left["words"])

    def test_an_empty_timeline_says_which_it_is(self):
        nobody = self.env["res.partner"].create({"name": "No address"})
        self.assertEqual(self.open(nobody)["empty"], "no_address")
        self.assertEqual(self.open(self.anna, self.leonie)["empty"], "connect")
        page = self.open(self.anna)
        self.assertEqual(page["empty"], "nothing")
        self.assertEqual(
            page["empty_detail"],
            {
                "addresses": ["anna@acme.example"],
                "mailboxes": 1,
                "since": fields.Date.to_string(self.mailbox.sync_from),
                "left": False,
            },
        )
        self.mailbox.write(
            {
                "sync_status": "incomplete",
                "sync_stage": "fetching",
                "sync_done": 20,
                "sync_total": 80,
            }
        )
        page = self.open(self.anna)
        self.assertEqual(page["empty"], "first_sync")
        self.assertEqual(page["progress"], {"done": 20, "total": 80})
        self.receive(self.mailbox)
        page = self.open(self.anna)
        self.assertFalse(page["empty"])
        self.assertEqual(page["progress"], {"done": 20, "total": 80})

    def test_a_company_without_address_waits_for_its_peoples_mail(self):
        self.assertFalse(self.acme.email)
        self.assertEqual(self.open(self.acme)["empty"], "nothing")

    # --- notices ---

    def break_sync(self, kind="reconnect", **values):
        self.mailbox.write(
            {
                "sync_status": "error",
                "last_error": "The password is not accepted.",
                "last_error_kind": kind,
                **values,
            }
        )

    def test_the_owner_is_told_that_a_mailbox_fails(self):
        self.break_sync()
        [notice] = self.open(self.anna)["notices"]
        self.assertTrue(notice["mine"])
        self.assertEqual(notice["account_id"], self.mailbox.id)
        self.assertEqual(
            notice["title"], "Email sync failed. Please check your connection"
        )
        reason = f"{self.mailbox.email}: The password is not accepted."
        self.assertEqual(notice["reason"], reason, "one may have several")
        self.assertEqual(notice["primary"], "reconnect")
        self.break_sync("retry", next_sync_at=fields.Datetime.now())
        [notice] = self.open(self.anna)["notices"]
        self.assertEqual(notice["primary"], "retry")

    def test_colleagues_are_told_where_its_mail_may_be_missing(self):
        self.break_sync()
        self.assertEqual(self.open(self.anna, self.jonas)["notices"], [])
        self.receive(self.mailbox)
        [notice] = self.open(self.anna, self.jonas)["notices"]
        self.assertFalse(notice["mine"])
        self.assertIn("Mira Maas", notice["title"])
        self.assertNotIn("password", repr(notice))
        self.assertEqual(self.open(self.bruno, self.jonas)["notices"], [])
        self.bea.company_ids |= self.company_a
        other = self.as_user(self.anna, self.bea).with_context(
            allowed_company_ids=self.company_b.ids
        )
        self.assertEqual(other.easycrm_timeline()["notices"], [])
