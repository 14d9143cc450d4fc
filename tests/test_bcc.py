"""Who is in Bcc is known to those who sent the mail, on every road."""

from odoo.tests import tagged

from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestBcc(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.message_id = "<bcc@ours.example>"
        cls.parts = {
            "sender": "mira@ours.example",
            "to": "jonas@ours.example, stranger@far.example",
            "message_id": cls.message_id,
            "subject": "Offer",
            "date": None,
        }
        raw = raw_mail(bcc="bruno@beck.example", **cls.parts)
        [cls.email] = cls.deliver(cls.mailbox, raw, stream="Sent")
        # what a recipient gets has no such header
        received = raw.replace(b"Bcc: bruno@beck.example\n", b"")
        cls.deliver(cls.jonas_mailbox, received)

    def get_roles(self, user):
        return set(self.as_user(self.email, user).participant_ids.mapped("role"))

    def test_both_mailboxes_hold_the_one_email(self):
        self.assertEqual(
            self.email.copy_ids.account_id, self.mailbox | self.jonas_mailbox
        )
        self.assertLinked(self.email, [self.bruno])

    def test_who_sent_it_knows_who_is_in_bcc(self):
        self.assertEqual(self.get_roles(self.mira), {"from", "to", "bcc"})
        self.assertTimeline(self.bruno, ["Offer"], self.mira)
        [email] = self.read_timeline(self.bruno, self.mira)
        self.assertEqual([one["address"] for one in email["bcc"]], [self.bruno.email])

    def test_who_received_it_does_not(self):
        self.assertVisible(self.jonas, self.email, "everything")
        self.assertEqual(self.get_roles(self.jonas), {"from", "to"})
        self.assertFalse(self.as_user(self.email, self.jonas).link_ids)
        self.assertTimeline(self.bruno, [], self.jonas)
        self.assertEqual(self.as_user(self.bruno, self.jonas).easycrm_email_count, 0)

    def test_a_link_by_bcc_shows_the_email_to_nobody_else(self):
        self.assertVisible(self.leonie, self.email, None)
        self.assertVisible(self.sofia, self.email, None)

    def test_a_link_by_another_role_shows_it_without_those_in_bcc(self):
        self.env["easycrm.email.link"].create(
            {"email_id": self.email.id, "partner_id": self.anna.id}
        )
        self.assertVisible(self.leonie, self.email, "everything")
        self.assertEqual(self.get_roles(self.leonie), {"from", "to"})
        [email] = self.read_timeline(self.anna, self.leonie)
        self.assertEqual(email["bcc"], [])
        self.assertTimeline(self.bruno, [], self.leonie)

    def ask_who_is_in_bcc(self, user):
        """Return, by each road, whether it tells this user of Bruno in Bcc."""
        env = self.as_user(self.email, user).env
        email, bruno = self.email.with_env(env), self.bruno.with_env(env)
        people, links = env["easycrm.email.participant"], env["easycrm.email.link"]
        mine = [("email_id", "=", email.id)]

        def tells(value):
            return "bruno" in str(value).lower()

        def find(domain):
            return email in env["easycrm.email"].search(domain)

        return {
            "search": bool(people.search([*mine, ("role", "=", "bcc")])),
            "count": bool(people.search_count([*mine, ("role", "=", "bcc")])),
            "group": tells(people._read_group(mine, ["role", "address"])),
            "web group": tells(
                people.formatted_read_group(mine, ["address"], ["__count"])
            ),
            "export": tells(
                email.export_data(["participant_ids/address"])["datas"]
                + email.export_data(["participant_ids/name"])["datas"]
            ),
            "export of links": tells(email.export_data(["link_ids/reason"])["datas"]),
            "web read": tells(
                email.web_read({"participant_ids": {"fields": {"address": {}}}})
            ),
            "link": bool(links.search([*mine, ("partner_id", "=", bruno.id)])),
            "links by role": bool(links.search_count([*mine, ("role", "=", "bcc")])),
            "links by group": tells(
                [
                    (partner.display_name, count)
                    for partner, count in links._read_group(
                        mine, ["partner_id"], ["__count"]
                    )
                ]
            ),
            "by address": find([("participant_ids.address", "=", bruno.email)]),
            "by contact": find([("link_ids.partner_id", "=", bruno.id)]),
            "contacts by mail": bruno
            in bruno.search([("easycrm_email_link_ids.email_id", "=", email.id)]),
            "contact's links": bool(bruno.easycrm_email_link_ids),
            "contact's count": bool(bruno.easycrm_email_count),
            "timeline": bool(bruno.easycrm_timeline()["conversations"]),
            "values": tells(email.easycrm_values()),
            "why": tells(email.easycrm_why("res.partner", bruno.id)),
        }

    def test_no_road_tells_others_who_is_in_bcc(self):
        self.env["easycrm.email.link"].create(
            {"email_id": self.email.id, "partner_id": self.anna.id}
        )
        users = self.mira | self.jonas | self.leonie | self.sofia
        users.group_ids += self.env.ref("base.group_allow_export")
        told = self.ask_who_is_in_bcc(self.mira)
        self.assertEqual({road for road, tells in told.items() if not tells}, set())
        # who received it, and who sees it on another contact
        for user in (self.jonas, self.leonie, self.sofia, self.admin):
            with self.subTest(user=user.login):
                self.assertVisible(user, self.email, "everything")
                told = self.ask_who_is_in_bcc(user)
                self.assertEqual({road for road, tells in told.items() if tells}, set())

    def test_a_colleague_who_had_it_in_bcc_is_not_named_as_who_shares_it(self):
        raw = raw_mail(to="mira@ours.example")
        [email] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        (self.mailbox | self.jonas_mailbox).share_level = "metadata"
        [line] = self.read_timeline(self.anna, self.leonie)
        self.assertEqual((line["id"], line["sharers"]), (email.id, ["Mira Maas"]))
        # (a list's mail is to neither)
        raw = raw_mail(to="list@acme.example")
        self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        line = self.read_timeline(self.anna, self.leonie)[0]
        self.assertEqual(line["sharers"], ["Mira Maas", "Jonas Jung"])

    def test_a_recipient_cannot_write_somebody_into_bcc(self):
        forged = raw_mail(bcc="anna@acme.example", **{**self.parts, "date": ""})
        plain = raw_mail(**{**self.parts, "date": ""})
        [email] = self.deliver(self.mailbox, plain, stream="Sent")
        self.assertEqual(self.deliver(self.jonas_mailbox, forged), email)
        self.assertNotIn("bcc", email.participant_ids.mapped("role"))
        self.assertLinked(email, [])

    def test_the_senders_copy_that_comes_later_tells_who_is_in_bcc(self):
        parts = {**self.parts, "date": "", "message_id": "<later@ours.example>"}
        [email] = self.deliver(self.jonas_mailbox, raw_mail(**parts))
        self.assertEqual(email.direction, "inbound")
        self.assertLinked(email, [])
        raw = raw_mail(bcc="bruno@beck.example", **parts)
        self.assertEqual(self.deliver(self.mailbox, raw, stream="Sent"), email)
        self.assertLinked(email, [self.bruno])
        self.assertEqual(email.link_ids.role, "bcc")
        self.deliver(self.mailbox, raw, stream="Sent")
        self.assertEqual(email.participant_ids.mapped("role").count("bcc"), 1)
