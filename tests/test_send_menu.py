from lxml import etree

from odoo.tests import tagged

from .common import MailCase

OURS = "Send Email from My Mailbox"
CORES = "Send email"


@tagged("post_install", "-at_install")
class TestSendMenu(MailCase):
    """Actions, on a selection: what stands there to write with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mailbox.smtp_host = "smtp.ours.example"

    def read_menu(self, user, model="res.partner", kind="list"):
        views = (
            self.env[model]
            .with_context(**user.env.context)
            .with_user(user)
            .get_views([(False, kind)], {"toolbar": True})
        )
        actions = views["views"][kind]["toolbar"]["action"]
        return [one["name"] for one in actions if "send email" in one["name"].lower()]

    def read_buttons(self, user, view=False):
        """Return what the buttons “Email” of the list of opportunities do."""
        view_id = self.env.ref(view).id if view else False
        arch = self.env["crm.lead"].with_user(user).get_view(view_id, "list")["arch"]
        buttons = etree.fromstring(arch).xpath("//button[@string='Email']")
        return [button.get("name") for button in buttons]

    def test_who_has_a_mailbox_writes_from_it(self):
        for model, kind in (
            ("res.partner", "list"),
            ("res.partner", "kanban"),
            ("crm.lead", "list"),
            ("crm.lead", "kanban"),
            ("crm.lead", "form"),
        ):
            with self.subTest(model, view=kind):
                self.assertEqual(self.read_menu(self.mira, model, kind), [OURS])

    def test_of_a_team_s_mailbox_too(self):
        team = self.add_user("tom", "sales_team.group_sale_salesman")
        self.assertIn(CORES, self.read_menu(team))
        self.mailbox.member_ids = team
        self.assertEqual(self.read_menu(team), [OURS])

    def test_who_has_none_loses_nothing(self):
        new = self.add_user("nora", "sales_team.group_sale_salesman")
        for model in ("res.partner", "crm.lead"):
            self.assertEqual(set(self.read_menu(new, model)), {OURS, CORES})
        box = self.connect(new, smtp_host="smtp.ours.example")
        self.assertEqual(self.read_menu(new), [OURS])
        box.active = False
        self.assertEqual(set(self.read_menu(new)), {OURS, CORES})

    def test_who_cannot_send_from_it_loses_nothing(self):
        for login, state, values in (
            ("dora", "left while it was connected", {"imap_password": False}),
            ("emil", "without an outgoing server", {"smtp_host": False}),
        ):
            new = self.add_user(login, "sales_team.group_sale_salesman")
            values = {"smtp_host": "smtp.ours.example", **values}
            self.connect(new, sync_status="draft", **values)
            with self.subTest(state):
                self.assertEqual(set(self.read_menu(new)), {OURS, CORES})

    def test_who_has_disconnected_it_loses_nothing(self):
        self.assertEqual(self.read_menu(self.mira), [OURS])
        self.mailbox.write({"imap_secret": False, "sync_status": "paused"})
        self.assertEqual(set(self.read_menu(self.mira)), {OURS, CORES})

    def test_who_has_one_in_another_company_loses_nothing_here(self):
        self.mira.sudo().company_ids += self.company_b
        self.mailbox.company_id = self.company_b
        here, there = (
            self.mira.with_context(allowed_company_ids=company.ids)
            for company in (self.company_a, self.company_b)
        )
        self.assertEqual(set(self.read_menu(here)), {OURS, CORES})
        self.assertEqual(self.read_menu(there), [OURS])

    def test_who_does_not_use_it_sees_core_s_alone(self):
        other = self.add_user("otto", "base.group_user,base.group_partner_manager")
        self.assertEqual(self.read_menu(other), [CORES])

    def test_the_buttons_of_the_list_lead_there_too(self):
        ours = str(self.env.ref("easycrm_mail.action_crm_lead_send_email").id)
        cores = [
            str(self.env.ref(f"crm.action_lead_{name}").id)
            for name in ("mass_mail", "mail_compose")
        ]
        new = self.add_user("nora", "sales_team.group_sale_salesman")
        other = self.add_user("otto", "sales_team.group_sale_salesman")
        other.group_ids -= self.env.ref("easycrm_mail.group_easycrm_mail_user")
        for view in (False, "crm.crm_lead_view_tree_forecast"):
            with self.subTest(view=view):
                self.assertEqual(self.read_buttons(self.mira, view), [ours, ours])
                # (what was asked for first is not kept for everybody)
                self.assertEqual(self.read_buttons(new, view), cores)
                self.assertEqual(self.read_buttons(other, view), cores)

    def test_who_has_deleted_our_action_keeps_core_s(self):
        cores = [
            str(self.env.ref(f"crm.action_lead_{name}").id)
            for name in ("mass_mail", "mail_compose")
        ]
        self.env.ref("easycrm_mail.action_crm_lead_send_email").unlink()
        self.assertEqual(self.read_buttons(self.mira), cores)
        self.assertEqual(set(self.read_menu(self.mira, "crm.lead")), {CORES})

    def test_core_s_records_are_as_core_made_them(self):
        self.read_menu(self.mira)
        for name, model in (
            ("mail.action_partner_mass_mail", "res.partner"),
            ("crm.action_lead_mass_mail", "crm.lead"),
            ("crm.action_lead_mail_compose", "crm.lead"),
        ):
            action = self.env.ref(name)
            self.assertEqual(action.binding_model_id.model, model)
            self.assertEqual(action.name, CORES)
