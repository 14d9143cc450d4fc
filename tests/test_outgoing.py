from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.messages import parse, write
from ..easycrm_mail.providers import SendLimits
from .common import PNG, MailCase, raw_mail
from .sending_case import OutgoingFixtures


@tagged("post_install", "-at_install")
class TestOutgoing(OutgoingFixtures, MailCase):
    def test_what_is_sent_waits_ten_seconds_and_carries_its_message_id(self):
        mail = self.write_mail(to="anna@acme.example,bruno@beck.example")
        mail.recipient_ids[0].name = "Anna Berg"
        told = mail.action_queue()
        self.assertEqual(
            told,
            {
                "id": mail.id,
                "seconds": 10,
                "to": "Anna Berg and bruno@beck.example",
            },
        )
        self.assertEqual(mail.state, "queued")
        self.assertRegex(mail.message_id, r"^<[0-9a-f.]{30,}@ours\.example>$")
        cron = self.env.ref("easycrm_mail.ir_cron_email_send")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertIn(mail.scheduled_at, triggers.mapped("call_at"))

    def test_without_the_job_that_sends_nothing_is_sent(self):
        planned, draft = self.write_mail(), self.write_mail()
        planned.action_queue("2199-01-01 08:00:00")
        self.env.ref("easycrm_mail.ir_cron_email_send").unlink()
        for button in (planned.action_send_now, draft.action_queue):
            with self.assertRaisesRegex(UserError, "scheduled action .* was deleted"):
                button()
        self.assertEqual((planned.state, draft.state), ("queued", "draft"))
        planned.action_undo()
        self.assertEqual(planned.state, "draft")

    def test_what_is_taken_back_is_a_draft_as_it_was(self):
        mail = self.write_mail()
        mail.action_queue()
        self.assertTrue(mail.action_undo()["undone"])
        self.assertEqual(mail.state, "draft")
        mail.subject = "Offer, corrected"
        mail.action_queue()
        self.assertEqual(mail.state, "queued")

    def test_what_was_refused_is_corrected_by_its_writer(self):
        self.mailbox.member_ids = self.jonas
        mail = self.write_mail(to="anna@acme.example,gone@acme.example")
        self.add_file(mail, "plan.pdf", b"%PDF")
        self.refuse(mail, recipients=[("gone@acme.example", "no such mailbox")])
        message_id = mail.message_id
        for user in (self.jonas, self.leonie, self.sofia):
            with self.assertRaises(AccessError):
                self.as_user(mail, user).action_undo()
        self.assertEqual(mail.state, "refused")

        self.assertTrue(mail.action_undo()["undone"])
        self.assertEqual((mail.state, mail.error), ("draft", False))
        self.assertFalse(any(mail.recipient_ids.mapped("refused")))
        windows = self.env["easycrm.email.compose"].with_user(self.mira)
        shown = windows.with_context(easycrm_outgoing_id=mail.id).easycrm_open()
        self.assertEqual(
            [one["address"] for one in shown["recipients"]["to"]],
            ["anna@acme.example", "gone@acme.example"],
        )
        self.assertEqual((shown["outgoing_id"], shown["subject"]), (mail.id, "Offer"))
        self.assertEqual([file["name"] for file in shown["files"]], ["plan.pdf"])
        people = {"to": shown["recipients"]["to"][:1], "cc": [], "bcc": []}
        windows.browse(shown["id"]).easycrm_send({"recipients": people})
        self.assertEqual((mail.state, mail.message_id), ("queued", message_id))
        self.assertEqual(mail.recipient_ids.mapped("address"), ["anna@acme.example"])

    def refuse(self, mail, **vals):
        """Have a mail of Mira's refused as it is handed over."""
        mail.action_queue()
        mail.sudo()._mark_sending()
        mail.sudo()._refuse("Nobody took it.", **vals)

    def test_what_got_to_somebody_or_may_have_is_not_corrected(self):
        sent, doubted, late, copied = (self.write_mail() for _number in range(4))
        for mail in (sent, doubted, late, copied):
            mail.action_queue()
        for mail in (sent, doubted):
            mail.sudo()._mark_sending()
        sent.sudo()._mark_sent(refused=[("anna@acme.example", "mailbox is full")])
        doubted.sudo()._mark_doubtful()
        # (these two may have gone out from the database that this one is a copy of)
        late.sudo().scheduled_at -= timedelta(minutes=30)
        copied.sudo().planned_in = "another database"
        for mail in (late, copied):
            mail.sudo()._refuse("It does not leave any more.", "permanent")
        for mail in (sent, doubted, late, copied):
            state = mail.state
            self.assertFalse(mail.sudo()._get_card()["can_edit"])
            self.assertFalse(mail.action_undo()["undone"])
            self.assertEqual(mail.state, state)
        self.assertEqual(sent.recipient_ids.refused, "mailbox is full")

    def test_what_may_have_gone_out_from_another_database_is_not_changed(self):
        late, copied, mine = (self.write_mail() for _number in range(3))
        for mail in (late, copied, mine):
            mail.action_queue()
        late.sudo().scheduled_at -= timedelta(minutes=30)
        copied.sudo().planned_in = "another database"
        for mail in (late, copied):
            self.assertFalse(mail.sudo()._get_card()["can_edit"])
            answer = mail.action_undo()
            self.assertFalse(answer["undone"])
            self.assertIn("may have gone out", answer["message"])
            self.assertEqual(mail.state, "queued")
        self.assertTrue(mine.action_undo()["undone"])

    def test_what_was_handed_over_cannot_be_taken_back(self):
        mail = self.write_mail()
        mail.action_queue()
        mail.sudo().state = "sending"
        answer = mail.action_undo()
        self.assertFalse(answer["undone"])
        self.assertIn("too late", answer["message"])
        self.assertEqual(mail.state, "sending")
        with self.assertRaisesRegex(UserError, "too late"):
            mail.action_cancel()

    def test_only_a_draft_can_be_changed(self):
        mail = self.write_mail()
        mail.action_queue()
        for vals in ({"subject": "x"}, {"recipient_ids": [Command.clear()]}):
            with self.assertRaisesRegex(UserError, "draft no more"):
                mail.write(vals)
        with self.assertRaisesRegex(UserError, "draft no more"):
            mail.recipient_ids.address = "eve@evil.example"
        with self.assertRaisesRegex(UserError, "on its way"):
            mail.unlink()

    def test_what_the_outbox_decides_is_not_written_by_users(self):
        mail = self.write_mail()
        for vals in ({"state": "sent"}, {"message_id": "<x@y>"}, {"email_id": False}):
            with self.assertRaises(AccessError):
                mail.write(vals)
            with self.assertRaises(AccessError):
                self.write_mail(**vals)
            context = {f"default_{name}": value for name, value in vals.items()}
            outbox = self.env["easycrm.email.outgoing"].with_user(self.mira)
            with self.assertRaises(AccessError):
                outbox.with_context(**context).create({})

    def test_nobody_sends_from_the_mailbox_of_somebody_else(self):
        jonas_box = self.jonas_mailbox
        jonas_box.write({"smtp_host": "smtp.ours.example", "imap_password": "x"})
        with self.assertRaises(AccessError):
            self.write_mail(account_id=jonas_box.id)
        mail = self.write_mail(from_address=jonas_box.email)
        with self.assertRaisesRegex(AccessError, "not an address of the mailbox"):
            mail.action_queue()
        mail.sudo().account_id = jonas_box
        with self.assertRaisesRegex(AccessError, "it is not yours"):
            mail.action_queue()

    def test_what_cannot_be_sent_is_told_in_words(self):
        with self.assertRaisesRegex(UserError, "Choose the mailbox"):
            self.write_mail(account_id=False).action_queue()
        with self.assertRaisesRegex(UserError, "Add somebody"):
            self.write_mail(to="").action_queue()
        with self.assertRaisesRegex(UserError, "“anna at acme” is not"):
            self.write_mail(to="anna at acme").action_queue()
        many = ",".join(f"p{number}@acme.example" for number in range(101))
        with self.assertRaisesRegex(UserError, "At most 100 people"):
            self.write_mail(to=many).action_queue()
        self.mailbox.smtp_host = False
        with self.assertRaisesRegex(UserError, "no outgoing server"):
            self.write_mail().action_queue()

    def test_a_header_with_a_line_of_its_own_is_refused(self):
        mail = self.write_mail(subject="Offer\r\nBcc: eve@evil.example")
        with self.assertRaises(UserError):
            mail.action_queue()
        self.assertEqual(mail.state, "draft")

    def test_a_mail_above_the_limit_of_its_service_is_refused(self):
        mail = self.write_mail()
        self.add_file(mail, "large.bin", b"x" * 1_000_000)
        limits = SendLimits(message_bytes=1_300_000, recipients=10)
        accounts = type(self.env["easycrm.email.account"])
        self.patch(accounts, "_get_send_limits", lambda account: limits)
        with self.assertRaisesRegex(UserError, "too large"):
            mail.action_queue()

    def add_file(self, mail, name, content, user=None, **vals):
        vals = {"res_model": mail._name, "res_id": mail.id, **vals}
        file = self.env["ir.attachment"].with_user(user or self.mira)
        file = file.create({"name": name, "raw": content, **vals})
        mail.attachment_ids += file
        return file

    def test_files_of_a_record_are_copied_and_those_of_others_do_not_go_along(self):
        mail = self.write_mail()
        file = self.add_file(
            mail, "plan.pdf", b"%PDF", res_model="res.partner", res_id=self.anna.id
        )
        mail.action_queue()
        self.assertNotEqual(mail.attachment_ids, file)
        self.assertEqual(mail.attachment_ids.raw, b"%PDF")
        file.sudo().unlink()
        [sent] = mail.sudo()._make_draft().files
        self.assertEqual((sent.name, sent.data), ("plan.pdf", b"%PDF"))

        hidden = self.write_mail(self.jonas, account_id=False)
        secret = self.add_file(hidden, "secret.pdf", b"s", self.jonas)
        other = self.write_mail()
        other.sudo().attachment_ids = secret.sudo()
        with self.assertRaises(AccessError):
            other.action_queue()

    def test_the_mail_shows_its_images_and_no_script(self):
        image = self.env["ir.attachment"].with_user(self.mira)
        image = image.create({"name": "logo.png", "raw": PNG})
        mail = self.write_mail(
            body=f"<p>Hello<img src='/web/image/{image.id}?access_token=1'></p>"
            "<script>alert(1)</script><a href='/odoo/contacts'>here</a>",
            quoted_html="<p>You wrote<img src='/web/image/999999'></p>",
        )
        mail.action_queue()
        draft = mail.sudo()._make_draft()
        [shown] = draft.files
        self.assertEqual(shown.data, PNG)
        self.assertIn(f'src="cid:{shown.content_id}"', draft.html)
        self.assertNotIn("script", draft.html)
        self.assertNotIn("/web/image", draft.html)
        self.assertNotIn('href="/', draft.html)
        message = parse(write(draft, bcc=True))
        self.assertTrue(message.attachments[0].inline)
        self.assertIn("You wrote", message.text)

    def test_an_answer_belongs_to_its_conversation(self):
        root = self.receive(
            self.mailbox, subject="Chairs", message_id="<a@acme.example>"
        )
        asked = self.receive(
            self.mailbox,
            subject="Re: Chairs",
            message_id="<b@acme.example>",
            references=["<a@acme.example>"],
        )
        self.assertEqual(root.thread_id, asked.thread_id)
        mail = self.write_mail(reply_to_id=asked.id, reply_kind="reply")
        mail.action_queue()
        draft = mail.sudo()._make_draft()
        self.assertEqual(draft.in_reply_to, "<b@acme.example>")
        self.assertEqual(draft.references, ("<a@acme.example>", "<b@acme.example>"))
        outgoing = mail.sudo()._make_outgoing()
        self.assertEqual(outgoing.reply_to.stream, "INBOX")

    def test_what_others_may_not_read_is_not_answered(self):
        private = self.deliver(
            self.jonas_mailbox, raw_mail("eve@far.example", self.jonas_mailbox.email)
        )
        with self.assertRaises(AccessError):
            self.write_mail(reply_to_id=private.id)
        secret = self.add_lead("Secret", self.jonas)
        with self.assertRaises(AccessError):
            self.write_mail(lead_id=secret.id)

    def test_a_draft_is_its_writers_alone_and_what_was_sent_the_teams_too(self):
        self.mailbox.member_ids = self.jonas
        mail = self.write_mail()
        outbox = self.env["easycrm.email.outgoing"]
        found = [("id", "=", mail.id)]
        for user in (self.jonas, self.leonie, self.sofia):
            self.assertFalse(outbox.with_user(user).search(found), user.login)
            with self.assertRaises(AccessError):
                self.as_user(mail, user).read(["subject"])
        mail.action_queue()
        self.assertTrue(outbox.with_user(self.jonas).search(found))
        for user in (self.leonie, self.sofia):
            with self.assertRaises(AccessError):
                self.as_user(mail, user).read(["subject"])
            with self.assertRaises(AccessError):
                self.as_user(mail, user).action_cancel()
            with self.assertRaises(AccessError):
                self.as_user(mail.recipient_ids, user).read(["address"])
        with self.assertRaises(AccessError):
            self.as_user(mail, self.jonas).action_undo()

    def test_its_subject_is_told_to_nobody_who_names_it_by_its_id(self):
        mail = self.write_mail(subject="Secret")
        Compose = self.env["easycrm.email.compose"]
        for user, subject in ((self.mira, "Secret"), (self.jonas, "")):
            window = self.as_user(Compose, user).create({"outgoing_id": mail.id})
            window = self.as_user(window, user)
            self.assertEqual(window.read(["outgoing_id"])[0]["outgoing_id"][1], subject)

    def test_the_window_is_told_what_can_be_sent_from(self):
        self.mailbox.sudo().alias_emails = "sales@ours.example"
        bare = self.connect(self.mira, "old@ours.example")
        accounts = self.env["easycrm.email.account"].with_user(self.mira)
        options = accounts.easycrm_send_options()
        self.assertEqual(
            [(one["address"], bool(one["why_not"])) for one in options],
            [
                ("mira@ours.example", False),
                ("sales@ours.example", False),
                (bare.email, True),
            ],
        )
        mail = self.write_mail(from_address="sales@ours.example")
        mail.sudo().handed_at = "2026-05-05 10:00:00"
        self.env.flush_all()
        self.assertEqual(
            accounts.easycrm_send_options()[0]["address"], "sales@ours.example"
        )
        self.assertFalse(accounts.with_user(self.leonie).easycrm_send_options())

    def test_its_screens_are_told_and_nobody_else(self):
        mail = self.write_mail(lead_id=self.lead.id)
        with patch.object(
            type(self.env["res.users"]), "_bus_send", autospec=True
        ) as bus:
            mail.action_queue()
        told = {(users, args[0]) for users, *args in (c.args for c in bus.mock_calls)}
        self.assertEqual(
            {name for _users, name in told},
            {"easycrm_mail.timeline", "easycrm_mail.outgoing"},
        )
        self.assertEqual({users for users, _name in told}, {self.mira})


@tagged("post_install", "-at_install")
class TestPlanned(OutgoingFixtures, MailCase):
    """What stands above a record's timeline: what has not gone out."""

    def read_cards(self, record, user=None):
        outbox = self.env["easycrm.email.outgoing"].with_user(user or self.mira)
        return outbox.easycrm_planned(record._name, record.id)

    def test_a_record_that_is_gone_or_of_another_kind_has_none(self):
        gone = self.env["res.partner"].create({"name": "Gone"})
        gone.unlink()
        for record in (gone, self.env.company):
            with self.assertRaises(AccessError):
                self.read_cards(record)

    def test_what_waits_stands_on_its_record_and_its_company(self):
        mail = self.write_mail(partner_id=self.anna.id, body="<p>Dear <b>Anna</b></p>")
        mail.action_queue("2199-01-01 08:00:00")
        [card] = self.read_cards(self.anna)
        self.assertEqual(card["when"], "2199-01-01 08:00:00")
        self.assertEqual(
            (card["state"], card["subject"], card["to"], card["snippet"]),
            ("queued", "Offer", "anna@acme.example", "Dear Anna"),
        )
        self.assertTrue(card["can_edit"] and card["can_cancel"] and card["mine"])
        self.assertFalse(card["can_send_again"] or card["can_discard"])
        self.assertEqual(self.read_cards(self.acme), [card])
        self.assertEqual(self.read_cards(self.bruno), [])

    def test_others_who_read_the_record_are_not_told(self):
        self.write_mail(partner_id=self.anna.id).action_queue()
        self.assertEqual(self.read_cards(self.anna, self.jonas), [])
        self.mailbox.member_ids = self.jonas
        [card] = self.read_cards(self.anna, self.jonas)
        self.assertEqual((card["mine"], card["writer"]), (False, "Mira Maas"))
        self.assertFalse(card["can_edit"])
        secret = self.add_lead("Secret", self.jonas)
        with self.assertRaises(AccessError):
            self.read_cards(secret)

    def test_a_doubt_is_decided_once_the_mailbox_was_asked(self):
        mail = self.write_mail(lead_id=self.lead.id)
        mail.action_queue()
        mail.sudo()._mark_sending()
        mail.sudo()._mark_doubtful()
        [card] = self.read_cards(self.lead)
        self.assertFalse(card["can_send_again"] or card["can_discard"])
        self.assertIn("is asked", card["error"])
        mail.sudo().asked_at = mail.handed_at
        [card] = self.read_cards(self.lead)
        self.assertTrue(card["can_send_again"] and card["can_discard"])
        mail.action_discard()
        self.assertEqual(self.read_cards(self.lead), [])

    def test_a_refusal_names_who_it_is_about(self):
        mail = self.write_mail(lead_id=self.lead.id)
        mail.action_queue()
        mail.sudo()._refuse(
            "Nobody took it.", recipients=[("anna@acme.example", "mailbox is full")]
        )
        [card] = self.read_cards(self.lead)
        self.assertEqual(
            card["error"], "Nobody took it.\nanna@acme.example: mailbox is full"
        )
        self.assertTrue(card["can_edit"] and card["can_send_again"])
