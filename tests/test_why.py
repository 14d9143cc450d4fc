from odoo.tests import tagged

from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestWhy(MailCase):
    """Why is this here: the reasons, each with its remedy, and what was taken off."""

    def test_what_one_took_off_one_finds_again_and_puts_back(self):
        [email] = self.deliver(self.mailbox, raw_mail(cc="bruno@beck.example"))
        mine = self.as_user(email, self.mira)
        mine.link_ids.filtered(
            lambda link: link.partner_id == self.anna
        ).action_take_off()
        reasons = {
            reason["record"]["name"]: reason
            for reason in mine.easycrm_why("res.partner", self.anna.id)
        }
        self.assertTrue(reasons["Anna Berg"]["removed"])
        self.assertTrue(reasons["Anna Berg"]["can_put_back"])
        self.assertFalse(reasons["Anna Berg"]["can_take_off"])
        self.assertFalse(reasons["Bruno Beck"]["removed"])
        link = self.env["easycrm.email.link"].browse(reasons["Anna Berg"]["link_id"])
        self.as_user(link, self.mira).action_put_back()
        self.assertLinked(email, [self.anna, self.bruno])

    def test_others_do_not_hear_of_what_was_taken_off(self):
        [email] = self.deliver(self.mailbox, raw_mail(cc="bruno@beck.example"))
        link = email.link_ids.filtered(lambda link: link.partner_id == self.anna)
        self.as_user(link, self.mira).action_take_off()
        names = [
            reason["record"]["name"]
            for reason in self.as_user(email, self.jonas).easycrm_why("res.partner", 0)
        ]
        self.assertEqual(names, ["Bruno Beck"])

    def test_what_a_colleague_wrote_is_sent_mail_whoever_got_it(self):
        self.deliver(
            self.mailbox,
            raw_mail(sender=self.leonie.email, to="anna@acme.example"),
        )
        for user in (self.mira, self.jonas):
            [conversation] = self.as_user(self.anna, user).easycrm_timeline()[
                "conversations"
            ]
            self.assertEqual(conversation["emails"][0]["direction"], "outbound")

    def test_a_company_without_any_address_asks_for_one(self):
        company = self.env["res.partner"].create(
            {"name": "No address", "is_company": True}
        )
        page = self.as_user(company, self.mira).easycrm_timeline()
        self.assertEqual(page["empty"], "no_address")

    def test_when_it_was_put_there_is_told_by_the_readers_clock_and_language(self):
        email = self.receive(self.mailbox, sender="who@far.example")
        link = self.env["easycrm.email.link"].create(
            {"email_id": email.id, "partner_id": self.bruno.id}
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE easycrm_email_link SET create_date = '2026-03-04 20:00'"
            " WHERE id = %s",
            [link.id],
        )
        link.invalidate_recordset()
        self.env["res.lang"]._activate_lang("de_DE")
        link = self.as_user(link, self.mira).with_context(lang="en_US", tz="UTC")
        self.assertIn("on 03/04/2026", link.reason)
        self.assertIn("on 03/05/2026", link.with_context(tz="Asia/Tokyo").reason)
        self.assertIn("04.03.2026", link.with_context(lang="de_DE").reason)

    def test_contacts_are_searched_by_the_subjects_of_their_emails(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example", subject="Ibex")
        partners = self.env["res.partner"].with_user(self.jonas)
        condition = [("easycrm_email_link_ids", "ilike", "ibex")]
        self.assertEqual(partners.search(condition), self.bruno)
        self.make_private(email)
        self.assertFalse(partners.search(condition))
