from odoo.tests import HttpCase, tagged

from .common import MailFixtures

# (as it is after a reload: the search view comes with the action all the same)
INBOX = "/odoo/unlinked-emails"


@tagged("post_install", "-at_install")
class TestUnlinkedTour(MailFixtures, HttpCase):
    """What a salesman does with his unlinked emails, in a real browser."""

    def setUp(self):
        super().setUp()
        self.mira.group_ids += self.env.ref("base.group_partner_manager")
        self.lead = self.add_lead("Union – 40 chairs", self.mira, "lena@union.example")
        self.receive(
            self.mailbox,
            sender="Bruno Bauer <bruno@beck-bau.example>",
            subject="From Bruno",
        )
        for subject in ("First", "Second", "Third", "Fourth"):
            self.receive(
                self.mailbox, sender="Anna Auer <auer@union.example>", subject=subject
            )

    def tour(self, name):
        self.mira.password = self.mira.login * 2
        self.start_tour(INBOX, name, login=self.mira.login)

    def get_waiting(self):
        copies = self.as_user(self.env["easycrm.email.copy"], self.mira).search(
            [("is_unlinked", "=", True), ("ignored", "=", False)], order="id"
        )
        return copies.mapped("subject")

    def test_several_are_dragged_home_and_the_move_teaches(self):
        self.tour("easycrm_unlinked_drag_tour")
        self.assertEqual(
            self.get_waiting(), ["From Bruno", "First", "Second", "Third", "Fourth"]
        )
        self.assertTimeline(self.lead, [])

    def test_the_keyboard_does_all_of_it(self):
        self.tour("easycrm_unlinked_keys_tour")
        self.assertEqual(
            self.get_waiting(), ["From Bruno", "First", "Second", "Fourth"]
        )

    def test_the_plain_list_ignores_and_takes_it_back(self):
        self.tour("easycrm_unlinked_list_tour")
        self.assertEqual(
            self.get_waiting(), ["From Bruno", "First", "Second", "Third", "Fourth"]
        )

    def test_what_was_done_is_told_on_the_mail(self):
        self.tour("easycrm_unlinked_history_tour")
        self.assertEqual(self.get_waiting(), ["From Bruno", "First", "Second", "Third"])

    def test_a_new_contact_is_filled_from_the_mail_and_linked(self):
        self.tour("easycrm_unlinked_new_tour")
        bruno = self.env["res.partner"].search(
            [("email_normalized", "=", "bruno@beck-bau.example")]
        )
        self.assertEqual(bruno.name, "Bruno Bauer")
        self.assertTimeline(bruno, ["From Bruno"])
