"""What of campaigns is for whom."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..easycrm_mail.esp import EventKind as K
from ..easycrm_mail.esp import SuppressionReason
from .esp_case import EspFixtures
from .mailing_case import MailingCase

MAILING = "mass_mailing.group_mass_mailing_user,base.group_allow_export"
SALESMAN = "sales_team.group_sale_salesman_all_leads"
MANAGER = "easycrm_mail.group_easycrm_mail_manager,base.group_allow_export"

#: Who may read which model, of those that are about his own company.
READERS = {
    "easycrm.esp": {"campaigner", "manager"},
    "easycrm.esp.batch": {"campaigner"},
    "easycrm.esp.event": {"campaigner"},
    "easycrm.esp.suppression": {"campaigner", "manager"},
    "easycrm.esp.content": set(),
    "mailing.trace": {"campaigner"},
}

SECRETS = ("api_secret", "webhook_secret")


@tagged("post_install", "-at_install")
class TestEspAccess(EspFixtures, MailingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Other"})
        new = {"company_id": cls.company.id, "company_ids": [cls.company.id]}
        cls.roles = {
            "campaigner": new_test_user(cls.env, "campaigner", groups=MAILING),
            "salesman": new_test_user(cls.env, "salesman", groups=SALESMAN),
            "manager": new_test_user(cls.env, "manager", groups=MANAGER),
            "employee": new_test_user(cls.env, "employee", groups="base.group_user"),
            "portal": new_test_user(cls.env, "portal_one", groups="base.group_portal"),
            "public": cls.env.ref("base.public_user"),
            "foreigner": new_test_user(
                cls.env, "foreigner", groups=f"{MAILING},{MANAGER}", **new
            ),
        }

    def setUp(self):
        super().setUp()
        mailing = MailingCase.make_mailing(self, self.make_people(2))
        self.send(mailing)
        self.trace = self.traces(mailing)[0]
        self.tell(self.event(self.trace, K.CLICKED, 900, url="https://example.com/a"))
        self.env["easycrm.esp.suppression"]._add(
            [("x@y.example", SuppressionReason.BOUNCED, None, "")], self.esp
        )
        self.records = {
            "easycrm.esp": self.esp,
            "easycrm.esp.batch": mailing.easycrm_batch_ids,
            "easycrm.esp.event": self.trace.easycrm_event_ids,
            "easycrm.esp.suppression": self.env["easycrm.esp.suppression"].search([]),
            "easycrm.esp.content": mailing.easycrm_batch_ids.content_id,
            "mailing.trace": self.trace,
        }
        self.assertTrue(all(self.records.values()))

    def test_who_reads_what(self):
        for model, readers in READERS.items():
            # (the ledger is of all companies, as Odoo's blocklist and its mailings are)
            common = {"easycrm.esp.suppression", "mailing.trace"}
            readers = readers | ({"foreigner"} if model in common else set())
            for name, user in self.roles.items():
                record = self.records[model].with_user(user)
                with self.subTest(f"{name}: {model}"):
                    self.assertEqual(record.has_access("read"), name in readers)
                    for operation in ("write", "create", "unlink"):
                        may = (name, model) == ("manager", "easycrm.esp")
                        if model != "mailing.trace" and name != "foreigner":
                            self.assertEqual(record.has_access(operation), may)

    def test_nobody_reads_a_key(self):
        for name in ("campaigner", "manager"):
            esp = self.esp.with_user(self.roles[name])
            with self.subTest(name):
                # (whoever may read the sender gets it without its keys)
                values = esp.read()[0]
                self.assertFalse(set(values) & set(SECRETS))
                self.assertFalse(values["api_key"] or values["webhook_key"])
                self.assertTrue(values["has_api_key"])
                self.assertEqual("webhook_token" in values, name == "manager")
                for secret in SECRETS:
                    with self.assertRaises(AccessError):
                        esp.search([(secret, "like", "a")])
                    with self.assertRaises(AccessError):
                        esp.search([], order=secret)
                    with self.assertRaises(AccessError):
                        esp._read_group([], [secret])
                    with self.assertRaises(AccessError):
                        esp.export_data([secret])
                    with self.assertRaises(AccessError):
                        esp.write({secret: "mine"})

    def test_a_token_is_searched_by_none_but_managers(self):
        esp = self.esp.with_user(self.roles["campaigner"])
        with self.assertRaises(AccessError):
            esp.search([("webhook_token", "like", "a")])
        with self.assertRaises(AccessError):
            self.env["easycrm.esp.batch"].with_user(self.roles["campaigner"]).search(
                [("esp_id.webhook_token", "like", "a")]
            )

    def test_what_one_recipient_gets_is_read_by_nobody(self):
        for name in ("campaigner", "foreigner"):
            trace = self.trace.with_user(self.roles[name])
            with self.assertRaises(AccessError):
                trace.search([("easycrm_values", "!=", False)])
            with self.assertRaises(AccessError):
                trace.export_data(["easycrm_values"])
            with self.assertRaises(AccessError):
                trace.export_data(["easycrm_batch_id/content_id/content"])

    def test_another_company_s_events_are_not_listed(self):
        self.env.invalidate_all()
        trace = self.trace.with_user(self.roles["foreigner"])
        self.assertFalse(trace.easycrm_event_ids)
        self.env.invalidate_all()
        self.assertTrue(
            self.trace.with_user(self.roles["campaigner"]).easycrm_event_ids
        )
        mailing = self.trace.mass_mailing_id.with_user(self.roles["foreigner"])
        self.env.invalidate_all()
        self.assertFalse(mailing.easycrm_batch_ids)
        self.assertFalse(
            trace.search([("easycrm_event_ids.url", "like", "example.com")])
        )

    def test_another_company_s_mailing_opens_and_tells_nothing_of_its_sender(self):
        self.other.domain = "secret.example"
        mailing = MailingCase.make_mailing(self, self.make_people(1), esp=self.other)
        self.assertIn("secret.example", mailing.easycrm_sender_hint)
        theirs = mailing.with_user(self.roles["foreigner"])
        self.assertFalse(theirs.easycrm_sender_hint)

    def test_a_default_sender_of_another_company_is_none(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", self.esp.id)
        self.env.flush_all()
        self.env.invalidate_all()
        mailings = self.env["mailing.mailing"].with_user(self.roles["foreigner"])
        self.assertFalse(mailings.default_get(["easycrm_esp_id"])["easycrm_esp_id"])
