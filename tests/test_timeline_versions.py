"""One email that mailboxes hold in different versions is one line for the reader."""

from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import START, MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestVersions(MailCase):
    def setUp(self):
        super().setUp()
        parts = {"message_id": "<list@acme.example>", "date": START, "subject": "List"}
        to = "mira@ours.example, jonas@ours.example"
        [self.plain] = self.deliver(
            self.mailbox, raw_mail(to=to, text="As written.", **parts)
        )
        [self.footed] = self.deliver(
            self.jonas_mailbox, raw_mail(to=to, text="As written. Footer.", **parts)
        )

    def open(self, user, record=None, **arguments):
        return self.as_user(record or self.anna, user).easycrm_timeline(**arguments)

    def assertShown(self, user, *emails, record=None):
        """Assert which versions are lines, and that the counts agree."""
        page = self.open(user, record)
        shown = [e["id"] for c in page["conversations"] for e in c["emails"]]
        self.assertEqual(shown, [email.id for email in emails])
        self.assertEqual(page["count"], len(emails))
        self.assertEqual(sum(c["count"] for c in page["conversations"]), len(emails))
        record = self.as_user(record or self.anna, user)
        self.assertEqual(record.easycrm_email_count, len(emails))

    def test_they_are_two_emails(self):
        self.assertNotEqual(self.plain, self.footed)
        self.assertEqual(self.plain.message_id, self.footed.message_id)

    def test_another_mail_with_the_same_message_id_is_no_version(self):
        """Scanners and broken senders use one Message-ID for all that they send."""
        scans = self.deliver(
            self.mailbox,
            *(
                raw_mail(
                    message_id="<scan@acme.example>",
                    date=START + timedelta(minutes=number),
                    text=f"Scan {number}",
                )
                for number in range(3)
            ),
        )
        page = self.open(self.mira)
        self.assertEqual(page["count"], 4)
        lines = {
            e["id"]: e["versions"] for c in page["conversations"] for e in c["emails"]
        }
        self.assertEqual(lines.keys(), {self.plain.id, *(scan.id for scan in scans)})
        self.assertFalse(lines[scans[0].id])
        self.as_user(scans[0].link_ids[0], self.mira).action_take_off()
        self.assertEqual(self.open(self.mira)["count"], 3)

    def test_each_reader_sees_the_one_of_his_own_mailbox(self):
        self.assertShown(self.mira, self.plain)
        self.assertShown(self.jonas, self.footed)

    def test_others_see_the_one_that_came_first(self):
        self.assertShown(self.leonie, self.plain)

    def test_on_a_company_and_a_lead_alike(self):
        deal = self.add_lead("Deal", self.leonie, "anna@acme.example")
        self.assertShown(self.leonie, self.plain, record=self.acme)
        self.assertShown(self.leonie, self.plain, record=deal)

    def test_the_versions_are_told(self):
        for user in (self.mira, self.jonas, self.leonie):
            [conversation] = self.open(user)["conversations"]
            [line] = conversation["emails"]
            self.assertEqual(line["versions"], [self.plain.id, self.footed.id])
        other = self.receive(self.mailbox)
        self.assertEqual(self.read_timeline(self.anna)[0]["id"], other.id)
        self.assertEqual(self.read_timeline(self.anna)[0]["versions"], [])

    def test_one_that_may_not_be_read_hides_none_and_is_not_told(self):
        self.plain.link_ids.removed = True
        self.assertShown(self.leonie, self.footed)
        [line] = self.read_timeline(self.anna, self.leonie)
        self.assertEqual(line["versions"], [])

    def test_one_on_another_record_hides_none(self):
        self.plain.link_ids.unlink()
        self.env["easycrm.email.link"].create(
            {"email_id": self.plain.id, "partner_id": self.bruno.id}
        )
        self.assertShown(self.leonie, self.footed)
        self.assertShown(self.leonie, self.plain, record=self.bruno)

    def test_folding_gives_no_access(self):
        self.mailbox.share_level = "metadata"
        self.jonas_mailbox.share_level = "everything"
        self.assertVisible(self.leonie, self.plain, "metadata")
        self.assertVisible(self.leonie, self.footed, "everything")
        [line] = self.read_timeline(self.anna, self.leonie)
        self.assertEqual((line["id"], line["level"]), (self.plain.id, "metadata"))
        self.assertFalse(line["snippet"])

    def test_the_same_in_another_company_is_not_a_version(self):
        mailbox = self.connect(self.bea)
        raw = raw_mail(
            to="bea@ours.example", text="Other.", message_id="<list@acme.example>"
        )
        [other] = self.deliver(mailbox, raw)
        self.assertNotEqual(other.company_id, self.plain.company_id)
        self.bea.company_ids |= self.company_a
        self.assertShown(self.bea, other, self.plain)

    def test_filters_count_a_line_once(self):
        page = self.open(self.leonie, filters={"search": "written"})
        self.assertEqual((page["count"], page["looked_at"]), (1, 1))

    def test_taken_off_it_goes_in_all_versions_and_comes_back_in_all(self):
        link = self.plain.link_ids.filtered("partner_id")
        self.as_user(link, self.mira).action_take_off()
        for user in (self.mira, self.jonas, self.leonie):
            self.assertShown(user)
        with self.assertRaises(AccessError):
            self.as_user(link, self.jonas).action_put_back()
        self.as_user(link, self.mira).action_put_back()
        self.assertShown(self.mira, self.plain)
        self.assertShown(self.jonas, self.footed)

    def test_undo_changes_the_versions_that_its_step_has_changed(self):
        plain, footed = (
            email.link_ids.filtered("partner_id") for email in (self.plain, self.footed)
        )
        links = self.as_user(plain, self.mira)
        Copy = self.as_user(self.env["easycrm.email.copy"], self.mira)
        # (off already, by somebody else)
        footed.with_user(self.jonas).sudo()._set_removed(True)
        [step] = links.action_take_off()
        Copy.undo(step)
        self.assertEqual((plain.removed, footed.removed), (False, True))
        # (on still)
        footed.with_user(self.jonas).sudo()._set_removed(False)
        plain.with_user(self.mira).sudo()._set_removed(True)
        [step] = links.action_put_back()
        Copy.undo(step)
        self.assertEqual((plain.removed, footed.removed), (True, False))
        links.action_put_back()
        self.assertFalse(plain.removed, "it is for whoever took it off, still")

    def test_a_version_that_one_may_not_see_stays(self):
        self.make_private(self.footed)
        links = self.env["easycrm.email.link"].search(
            [("email_id", "=", self.footed.id)]
        )
        other = self.env["easycrm.email.thread"].create(
            {"company_id": self.company_a.id, "root": "<x@acme.example>"}
        )
        self.plain.thread_id = other
        self.cr.flush()
        self.as_user(self.plain.link_ids, self.mira).action_take_off()
        self.assertFalse(any(links.mapped("removed")))
