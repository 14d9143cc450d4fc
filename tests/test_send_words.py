"""What its writer is told of a mail, in his language; and what no header takes."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from ..easycrm_mail.messages import parse, write
from ..easycrm_mail.providers import Reconnect, Refused
from .sending_case import SendingCase

#: Some of our words in the language of a writer.
GERMAN = {
    "An email was not sent": "Eine E-Mail ging nicht raus",
    "An email waits to be sent": "Eine E-Mail wartet",
    "An email did not get to everybody": "Eine E-Mail kam nicht bei allen an",
    "Not sure that an email was sent": "Ging eine E-Mail raus?",
    "“%s” is not an email address.": "„%s“ ist keine Adresse.",
    "“%s” has a line break in it, where none may be.": "„%s“ hat einen Umbruch.",
    "The file “%s” is not there any more.": "Die Datei „%s“ fehlt.",
}


@tagged("post_install", "-at_install")
class TestSendWords(SendingCase):
    def setUp(self):
        super().setUp()
        self.env["res.lang"]._activate_lang("de_DE")
        self.mira.lang = "de_DE"
        words = {("easycrm_mail", "de_DE"): GERMAN}
        known = patch.dict(code_translations.python_translations, words)
        self.startPatcher(known)

    def test_its_writer_is_told_in_his_language(self):
        self.provider.answers = [Refused("content"), Reconnect("password")]
        refused, waiting = self.queue(), self.queue()
        self.run_outbox()
        self.assertEqual(
            [mail.activity_id.summary for mail in refused + waiting],
            ["Eine E-Mail ging nicht raus", "Eine E-Mail wartet"],
        )
        partly, doubtful = self.queue(), self.queue()
        (partly + doubtful)._mark_sending()
        partly._mark_sent(refused=[("anna@acme.example", "gone")])
        doubtful._mark_doubtful()
        self.pass_time(doubtful, seconds=901)
        doubtful._mark_not_found()
        self.assertEqual(
            [mail.activity_id.summary for mail in partly + doubtful],
            ["Eine E-Mail kam nicht bei allen an", "Ging eine E-Mail raus?"],
        )

    def test_why_it_cannot_be_made_is_told_in_his_language(self):
        mail = self.queue()

        def fail(mail):
            raise UserError(mail.env._("The file “%s” is not there any more.", "a"))

        self.patch(type(mail), "_make_outgoing", fail)
        self.run_outbox()
        self.assertEqual(mail.error, "Die Datei „a“ fehlt.")

    def test_why_it_cannot_be_written_is_told_in_the_reader_s_language(self):
        mail = self.write_mail()
        mail.from_name = "Mira\nBcc: eve@evil.example"
        mine = mail.with_context(lang="de_DE")
        with self.assertRaisesRegex(UserError, "„Mira Bcc: .*“ hat einen Umbruch"):
            mine.action_queue()
        header = Refused("header", "in English", header=("address", "anna at acme"))
        self.assertEqual(
            self.mailbox._explain_outgoing(header), "„anna at acme“ ist keine Adresse."
        )

    def test_a_subject_is_put_on_one_line(self):
        mail = self.write_mail(subject="\tOur offer,\r\n  for you\u2028")
        self.assertEqual(mail.subject, "Our offer, for you")
        mail.subject = "Chairs:  40 \n"
        self.assertEqual(mail.subject, "Chairs:  40")
        mail.action_queue()
        message = parse(write(mail.sudo()._make_draft(), bcc=True))
        self.assertEqual(message.subject.split(), ["Chairs:", "40"])

    def test_what_has_an_odd_message_id_can_be_answered(self):
        for number, odd in enumerate(("<1@Jürgen-PC>", "<2\x01@x>", "<3\x85@x>")):
            with self.subTest(message_id=odd):
                root = f"<root{number}@acme.example>"
                first = self.receive(self.mailbox, message_id=root)
                asked = self.receive(self.mailbox, references=[root])
                self.assertEqual(asked.thread_id, first.thread_id)
                asked.message_id = odd
                mail = self.write_mail(reply_to_id=asked.id, reply_kind="reply")
                mail.action_queue()
                draft = mail.sudo()._make_draft()
                self.assertEqual((draft.in_reply_to, draft.references), ("", (root,)))
                write(draft, bcc=True)
