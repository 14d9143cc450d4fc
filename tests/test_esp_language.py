"""What is told of a mailing, in the language of whoever reads it."""

import contextlib
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.mail.tests.common import mail_new_test_user

from ..easycrm_mail.models.easycrm_esp_send import LOST_MINUTES
from ..easycrm_mail.models.mailing_mailing import Unwritable
from ..easycrm_mail.wizards.mail_compose_message import BulkPages
from .mailing_case import SEND, MailingCase
from .servers.web import Answer

GERMAN = {
    "all emails": "alle E-Mails",
    "%(name)s does not know this API key. Was it made in the same region?": (
        "%(name)s kennt diesen Schlüssel nicht."
    ),
    "%(name)s has trouble of its own.": "%(name)s hat selbst Probleme.",
    "%s is archived.": "%s ist archiviert.",
    "It cannot be written for %(name)s, and others: %(reason)s": (
        "Für %(name)s und andere nicht zu schreiben: %(reason)s"
    ),
    "It was interrupted while it was handed over.": "Bei der Übergabe unterbrochen.",
    "Sending has stopped. %s": "Der Versand steht. %s",
    "This cannot be done: a scheduled action of Email for CRM was deleted. It "
    "comes back when an administrator upgrades the app.": "Eine Aktion fehlt.",
}


@tagged("post_install", "-at_install")
class TestEspLanguage(MailingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("de_DE")
        known = {("easycrm_mail", "de_DE"): GERMAN}
        cls.startClassPatcher(patch.dict(code_translations.python_translations, known))
        cls.user = mail_new_test_user(
            cls.env,
            "gerda",
            groups="base.group_user,mass_mailing.group_mass_mailing_user",
            lang="de_DE",
        )
        cls.esp.name = "SendGrid"

    def make_written(self):
        mailing = self.make_mailing(self.make_people(2), user_id=self.user.id)
        mailing.state = "sending"
        mailing._action_send_mail()
        return mailing

    def assert_it_has_stopped(self, mailing, words):
        self.assertIn(words, mailing.easycrm_pause_reason)
        told = mailing.message_ids[0]
        self.assertIn("Der Versand steht.", told.body)
        self.assertIn(words, told.body)

    def test_why_it_has_stopped(self):
        mailing = self.make_written()
        self.esp.api_key = "wrong"
        self.hand_over()
        self.assert_it_has_stopped(mailing, "kennt diesen Schlüssel nicht")
        [batch] = mailing.easycrm_batch_ids
        self.assertIn("kennt diesen Schlüssel nicht", batch.error)

    def test_why_it_could_not_be_handed_over(self):
        mailing = self.make_written()
        self.esp.active = False
        self.hand_over()
        self.assert_it_has_stopped(mailing, "SendGrid ist archiviert.")

    def test_why_it_cannot_be_written(self):
        people = self.make_people(1)
        mailing = self.make_mailing(people, user_id=self.user.id)
        composer = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "mass_mailing_id": mailing.id,
                "model": people._name,
                "res_ids": str(people.ids),
            }
        )
        pages = BulkPages(composer)
        pages.failed = {people.id: "broken"}
        self.patch(type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: 1)
        # (`assertRaises` would take the pause back)
        with contextlib.suppress(Unwritable):
            pages._pause()
        self.assert_it_has_stopped(mailing, "und andere nicht zu schreiben")

    def test_what_it_waits_for(self):
        mailing = self.make_written()
        self.sendgrid.break_(SEND, "answer", answer=Answer("", 503))
        self.hand_over()
        self.assertEqual(
            mailing.easycrm_batch_ids.error, "SendGrid hat selbst Probleme."
        )

    def test_that_a_job_is_missing(self):
        mailing = self.make_written()
        self.env.ref("easycrm_mail.ir_cron_esp_send").unlink()
        mailing._easycrm_wake()
        self.assert_it_has_stopped(mailing, "Eine Aktion fehlt.")

    def test_that_it_was_interrupted(self):
        mailing = self.make_written()
        batch = mailing.easycrm_batch_ids
        long_ago = fields.Datetime.now() - timedelta(minutes=LOST_MINUTES + 1)
        batch.write({"state": "handed_over", "handed_at": long_ago})
        batch._look_for_lost()
        self.assertEqual(batch.error, "Bei der Übergabe unterbrochen.")

    def test_who_wants_no_emails_at_all_is_known_in_every_language(self):
        mailing = self.make_written()
        self.hand_over()
        trace = self.traces(mailing)[0]
        mailing.with_context(lang="de_DE")._easycrm_unsubscribe(trace.email)
        german = trace.with_context(lang="de_DE")
        self.assertEqual(trace.easycrm_unsubscribed_words, "all emails")
        self.assertEqual(german.easycrm_unsubscribed_words, "alle E-Mails")
        self.env.flush_all()
        person = german.env["res.partner"].browse(trace.res_id)
        [line] = person._easycrm_get_campaign_values(trace.ids)
        self.assertEqual(line["campaign"]["unsubscribed_from"], "alle E-Mails")
        # (who leaves a list besides, in another language, has not come back)
        news = self.env["mailing.list"].create({"name": "News"})
        mailing._easycrm_unsubscribe(trace.email, news)
        self.assertEqual(german.easycrm_unsubscribed_words, "alle E-Mails")
        other = self.traces(mailing)[1]
        mailing._easycrm_unsubscribe(other.email, news)
        self.assertEqual(other.easycrm_unsubscribed_words, "News")
