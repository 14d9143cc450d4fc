"""Searching tells no more than reading: a right guess is answered like a wrong one."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MailCase, raw_mail

SUBJECT, TEXT, FILE, SECRET = "Zugspitze", "Watzmann", "Kofel", "bruno@beck.example"

#: Each with what it compares a guessed word with.
OPERATORS = {
    "=": lambda word: word,
    "!=": lambda word: word,
    "in": lambda word: [word, False],
    "not in": lambda word: [word],
    "ilike": lambda word: word.lower(),
    "not ilike": lambda word: word.lower(),
    "=like": lambda word: f"%{word}%",
    "not =like": lambda word: f"%{word}%",
    "<": lambda word: word,
    ">=": lambda word: word,
}

#: Ways from an email to what may be hidden, each with the guess that is right.
PATHS = {
    "subject": SUBJECT,
    "display_name": SUBJECT,
    "snippet": TEXT,
    "body_html": TEXT,
    "content_ids.subject": SUBJECT,
    "content_ids.snippet": TEXT,
    "content_ids.body_text": TEXT,
    "attachment_line_ids.name": FILE,
    "attachment_line_ids.attachment_id.name": FILE,
    "link_ids.email_id.subject": SUBJECT,
    "participant_ids.email_id.body_html": TEXT,
    "copy_ids.subject": SUBJECT,
    "copy_ids.account_id.email": "mira@ours.example",
    "participant_ids.address": SECRET,
    "link_ids.display_name": SUBJECT,
    "link_ids.partner_id.email": SECRET,
}


@tagged("post_install", "-at_install")
class TestSearching(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raw = raw_mail(
            sender="mira@ours.example",
            to="anna@acme.example",
            bcc=SECRET,
            subject=SUBJECT,
            text=TEXT,
            attachments=[(FILE, "text/plain", b"x")],
        )
        [cls.email] = cls.deliver(cls.mailbox, raw, stream="Sent")
        cls.keep_files(cls.email.attachment_line_ids, raw)
        # one that nobody hides, and whose words are others
        cls.open = cls.receive(cls.jonas_mailbox, subject="Open", text="Plain")

    def search(self, user, domain, model="easycrm.email"):
        """Return the ids found, or the kind of error."""
        model = self.as_user(self.env[model], user)
        try:
            return sorted(model.search(domain).ids)
        except (AccessError, UserError, ValueError, NotImplementedError) as error:
            return type(error)

    def ask(self, user, paths, model):
        """Return the answers to all guesses."""
        return {
            (path, operator): self.search(user, [(path, operator, make(word))], model)
            for path, word in paths.items()
            for operator, make in OPERATORS.items()
        }

    def change_secrets(self):
        self.email.content_ids.write(
            {"subject": "Other", "snippet": "Other", "body_text": "Other"}
        )
        self.email.attachment_line_ids.name = "Other"
        self.email.attachment_line_ids.attachment_id.name = "Other"
        bcc = self.email.participant_ids.filtered(lambda one: one.role == "bcc")
        bcc.address = "other@else.example"
        self.email.link_ids.filtered(lambda link: link.role == "bcc").unlink()

    def assertSilent(self, user, paths=None, model="easycrm.email"):
        """Assert that guesses are answered alike, whatever is hidden."""
        paths = paths or PATHS
        before = self.ask(user, paths, model)
        self.change_secrets()
        self.assertEqual(self.ask(user, paths, model), before)

    def test_whoever_may_read_finds_by_subject_text_and_attachment(self):
        for user in (self.mira, self.jonas):
            for path in ("subject", "display_name", "snippet", "body_html"):
                with self.subTest(path=path, user=user.login):
                    found = self.search(user, [(path, "ilike", PATHS[path])])
                    self.assertEqual(found, self.email.ids)
                    others = self.search(user, [(path, "not ilike", PATHS[path])])
                    self.assertEqual(others, self.open.ids)
            found = self.search(user, [("attachment_line_ids.name", "=", FILE)])
            self.assertEqual(found, self.email.ids)

    def test_the_guesses_would_tell_if_they_were_answered(self):
        before = self.ask(self.mira, PATHS, "easycrm.email")
        self.change_secrets()
        after = self.ask(self.mira, PATHS, "easycrm.email")
        silent = [
            path for path in PATHS if before[path, "ilike"] == after[path, "ilike"]
        ]
        self.assertEqual(silent, ["copy_ids.account_id.email"])

    def test_searching_hidden_content_tells_nothing(self):
        self.mailbox.share_level = "metadata"
        self.assertSilent(self.jonas)

    def test_searching_the_text_of_mail_shared_by_subject_tells_nothing(self):
        self.mailbox.share_level = "subject"
        found = self.search(self.jonas, [("subject", "=", SUBJECT)])
        self.assertEqual(found, self.email.ids)
        text = {path: word for path, word in PATHS.items() if word != SUBJECT}
        self.assertSilent(self.jonas, text)

    def test_searching_unlinked_mail_tells_nothing(self):
        self.email.link_ids.unlink()
        self.assertSilent(self.jonas)

    def test_searching_contacts_by_their_hidden_mail_tells_nothing(self):
        self.mailbox.share_level = "metadata"
        links = "easycrm_email_link_ids.email_id"
        paths = {f"{links}.{path}": word for path, word in PATHS.items()}
        self.assertSilent(self.jonas, paths, "res.partner")

    def test_whether_there_is_any_is_asked_by_what_one_may_see(self):
        self.mailbox.share_level = "metadata"
        hidden = self.email.attachment_line_ids.ids
        bcc = self.email.participant_ids.filtered(lambda one: one.role == "bcc").ids
        copies = self.copy_in(self.mailbox, self.email).ids
        for domain in (
            [("attachment_line_ids", "!=", False)],
            [("attachment_line_ids", "in", hidden)],
            [("participant_ids", "in", bcc)],
            [("copy_ids", "in", copies)],
            [("has_attachments", "=", True)],
            [("has_attachments", "!=", False)],
        ):
            with self.subTest(domain=domain):
                self.assertIn(self.email.id, self.search(self.mira, domain))
                self.assertNotIn(self.email.id, self.search(self.jonas, domain))

    def test_contacts_are_found_by_mail_that_one_may_see(self):
        self.make_private(self.email)
        self.make_private(self.open)
        link = self.email.link_ids.filtered("partner_id")[:1]
        for domain in (
            [("easycrm_email_link_ids", "!=", False)],
            [("easycrm_email_link_ids", "in", link.ids)],
        ):
            with self.subTest(domain=domain):
                found = self.search(self.mira, domain, "res.partner")
                self.assertIn(link.partner_id.id, found)
                for user in (self.leonie, self.sofia):
                    found = self.search(user, domain, "res.partner")
                    self.assertNotIn(link.partner_id.id, found)
                domain = ["!", *domain]
                found = self.search(self.leonie, domain, "res.partner")
                self.assertIn(link.partner_id.id, found)

    def test_searching_leads_by_their_hidden_mail_tells_nothing(self):
        self.mailbox.share_level = "metadata"
        self.add_lead("Deal", self.jonas, "anna@acme.example")
        paths = {
            "easycrm_email_link_ids.email_id.subject": SUBJECT,
            "easycrm_email_link_ids.email_id.body_html": TEXT,
        }
        self.assertSilent(self.jonas, paths, "crm.lead")

    def test_searching_contacts_by_who_is_in_bcc_tells_nothing(self):
        domain = [("easycrm_email_link_ids.role", "=", "bcc")]
        self.assertEqual(self.search(self.jonas, domain, "res.partner"), [])
        found = self.search(self.mira, domain, "res.partner")
        self.assertEqual(found, self.bruno.ids)

    def test_grouping_by_what_is_hidden_is_refused_or_empty(self):
        self.mailbox.share_level = "metadata"
        for groupby in ("subject", "content_ids", "content_ids.subject"):
            for aggregate in ("__count", "subject:array_agg", "content_ids:array_agg"):
                with self.subTest(groupby=groupby, aggregate=aggregate):
                    emails = self.as_user(self.env["easycrm.email"], self.jonas)
                    try:
                        got = emails.formatted_read_group([], [groupby], [aggregate])
                    except (AccessError, ValueError, NotImplementedError):
                        continue
                    self.assertNotIn(SUBJECT, repr(got))

    def test_sorting_by_what_is_hidden_is_refused(self):
        for order in ("subject", "snippet", "content_ids.subject", "display_name"):
            with self.subTest(order=order):
                emails = self.as_user(self.env["easycrm.email"], self.jonas)
                with self.assertRaises(ValueError):
                    emails.search([], order=order)

    def test_what_nobody_reads_is_neither_searched_nor_sorted_nor_grouped(self):
        for field in ("has_files", "headers_only", "size", "digest", "fetch_at"):
            for user in (self.mira, self.jonas, self.sofia, self.admin):
                emails = self.as_user(self.env["easycrm.email"], user)
                for call in (
                    lambda emails=emails, field=field: emails.search(
                        [(field, "!=", False)]
                    ),
                    lambda emails=emails, field=field: emails.search([], order=field),
                    lambda emails=emails, field=field: emails.search(
                        [("link_ids.email_id." + field, "!=", False)]
                    ),
                    lambda emails=emails, field=field: emails.search_read([], [field]),
                    lambda emails=emails, field=field: emails.formatted_read_group(
                        [], [field], ["__count"]
                    ),
                    lambda emails=emails, field=field: emails.formatted_read_group(
                        [], [], [f"{field}:count_distinct"]
                    ),
                    lambda emails=emails, field=field: emails.search([]).export_data(
                        [field]
                    ),
                ):
                    with (
                        self.subTest(field=field, user=user.login),
                        mute_logger("odoo.addons.base.models.ir_model"),
                        self.assertRaises(UserError),
                    ):
                        call()

    def test_lines_are_found_by_no_other_operator(self):
        self.mailbox.share_level = "metadata"
        hidden = self.email.attachment_line_ids.ids
        for operator in ("child_of", "any!", "=?"):
            with self.subTest(operator=operator):
                domain = [("attachment_line_ids", operator, hidden)]
                found = self.search(self.jonas, domain)
                # (an error, if not a list)
                self.assertTrue(
                    not isinstance(found, list) or self.email.id not in found
                )
