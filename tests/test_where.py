"""Where is my mail: each answer a case, and nothing of what one may not know."""

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged

from .common import MailCase, raw_mail
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestWhere(MailCase):
    def ask(self, text, user=None):
        where = self.as_user(self.env["easycrm.email"], user or self.mira).env
        return where["easycrm.email.where"].ask(text)

    def words(self, steps, state=None):
        return [step["words"] for step in steps if not state or step["state"] == state]

    def email_words(self, text, user=None, state=None):
        """What is told of the one email that is found."""
        [email] = self.ask(text, user)["emails"]
        return self.words(email["steps"], state)

    def mailbox_words(self, text, user=None, mailbox=None):
        name = (mailbox or self.mailbox).email
        [steps] = [
            found["steps"]
            for found in self.ask(text, user)["mailboxes"]
            if found["name"] == name
        ]
        return self.words(steps)

    def assertTold(self, words, *parts):
        for part in parts:
            self.assertTrue(any(part in one for one in words), f"{part} in {words}")

    def assertNotTold(self, words, *parts):
        for part in parts:
            self.assertFalse(any(part in one for one in words), f"{part} in {words}")

    # --- what is asked for ---

    def test_an_address_a_subject_and_a_message_id_are_told_apart(self):
        email = self.receive(
            self.mailbox, subject="Offer for 40 chairs", message_id="<a.1@acme.example>"
        )
        for text, kind, key in (
            ("anna@acme.example", "address", "anna@acme.example"),
            (" Anna <ANNA@acme.example> ", "address", "anna@acme.example"),
            ("<a.1@acme.example>", "message_id", "<a.1@acme.example>"),
            ("a.1@acme.example", "message_id", "<a.1@acme.example>"),
            ("Message-ID: <a.1@acme.example>", "message_id", "<a.1@acme.example>"),
            ("chairs OFFER", "subject", "chairs OFFER"),
            ("chair", "subject", "chair"),
        ):
            with self.subTest(text=text):
                answer = self.ask(text)
                self.assertEqual((answer["kind"], answer["text"]), (kind, key))
                self.assertEqual([one["id"] for one in answer["emails"]], email.ids)
        self.assertFalse(self.ask("tables")["emails"])
        self.assertFalse(self.ask("morning")["emails"])  # that is in its text
        for text in ("", "  ", None, 7):
            with self.assertRaises(UserError):
                self.ask(text)

    def test_the_newest_are_told_and_that_there_are_more(self):
        for number in range(6):
            self.receive(self.mailbox, subject=f"Number {number}")
        answer = self.ask("anna@acme.example")
        self.assertEqual(
            [email["subject"] for email in answer["emails"]],
            [f"Number {number}" for number in (5, 4, 3, 2, 1)],
        )
        self.assertTrue(answer["more"])

    # --- an email ---

    def test_where_it_is_stored_and_what_it_stands_on(self):
        email = self.receive(self.mailbox)
        words = self.email_words("Hello", state="yes")
        self.assertTold(
            words,
            "Stored from mira@ours.example, where it is in INBOX.",
            "Stands on Anna Berg (from: anna@acme.example = contact Anna Berg)",
        )
        [step] = [
            step for step in self.ask("Hello")["emails"][0]["steps"] if step["record"]
        ]
        self.assertEqual(step["record"], {"model": "res.partner", "id": self.anna.id})
        self.copy_in(self.mailbox, email).sudo().removed_at = fields.Datetime.now()
        self.assertTold(self.email_words("Hello"), "mira@ours.example had it until")

    def test_why_it_stands_on_nothing(self):
        self.receive(
            self.mailbox,
            sender="stranger@far.ex",
            cc="bruno@beck.example, leonie@ours.example",
        )
        self.as_user(
            self.env["easycrm.email.link"].search([("partner_id", "=", self.bruno.id)]),
            self.mira,
        ).action_take_off()
        words = self.email_words("Hello", state="no")
        self.assertTold(
            words,
            "Not on Bruno Beck: You took it off",
            "It stands on no contact, lead or opportunity that you can see.",
            "No contact, lead or opportunity that you can see has stranger@far.ex.",
            "Bruno Beck has bruno@beck.example: link it by hand.",
        )
        self.assertTold(
            self.email_words("Hello", state="note"),
            "leonie@ours.example is one of your own people",
        )

    def test_an_archived_contact_another_company_and_a_rule(self):
        self.bruno.active = False
        self.follow_addresses()
        self.receive(self.mailbox, sender="bruno@beck.example", subject="Archived")
        self.assertTold(
            self.email_words("Archived"),
            "Bruno Beck has bruno@beck.example, but is archived.",
        )
        env = self.as_user(self.mailbox, self.mira).env
        env["easycrm.email.rule"].create(
            {"kind": "never_link", "pattern": "acme.example"}
        )
        self.receive(self.mailbox, subject="Kept off")
        self.assertTold(
            self.email_words("Kept"),
            "The rule “@acme.example” keeps it off all records, in mira@ours.example.",
        )

    def test_of_many_who_share_an_address_only_those_that_are_told_are_read(self):
        for user in (self.jonas, self.mira):
            for number in range(20):
                name = f"{user.login} {number}"
                self.add_lead(name, user, "shared@far.example")
        self.follow_addresses()
        self.env.flush_all()
        self.env.invalidate_all()
        steps = self.ask("shared@far.example")["steps"]
        self.assertEqual(
            self.words(steps),
            [
                f"{self.mira.login} {number} has shared@far.example."
                for number in range(5)
            ],
        )
        names = self.env["crm.lead"]._fields["name"]._get_cache(self.env)
        self.assertEqual(set(names), {step["record"]["id"] for step in steps})

    def test_the_rule_that_ignores_it_is_named(self):
        email = self.receive(
            self.mailbox, sender="x@union.example", to="jonas@ours.example"
        )
        copies = self.as_user(self.env["easycrm.email.copy"], self.mira)
        copies.ignore(email.copy_ids.ids, "domain")
        words = "It is ignored among the Unlinked Emails, by the rule “@union.example”."
        self.assertTold(self.email_words(email.message_id), words)

    def test_what_is_ignored_and_what_colleagues_see(self):
        self.mailbox.share_level = "subject"
        email = self.receive(self.mailbox)
        self.copy_in(self.mailbox, email).sudo().ignored = True
        self.assertTold(
            self.email_words("Hello"),
            "It is ignored among the Unlinked Emails.",
            "By the setting of mira@ours.example, colleagues see of it: "
            "“Subject, who and when”.",
        )
        self.make_private(email)
        self.assertTold(self.email_words("Hello"), "The conversation is private")

    # --- law 6 ---

    def test_a_colleague_is_told_as_much_as_he_may_see(self):
        self.mailbox.share_level = "subject"
        self.receive(self.mailbox, text="Secret words.")
        words = self.email_words("Hello", self.jonas)
        self.assertTold(
            words,
            "It is in none of your own mailboxes.",
            "You see only this of it: “Subject, who and when”. Mira Maas may share",
        )
        self.assertFalse(self.ask("secret", self.jonas)["emails"])
        self.mailbox.share_level = "metadata"
        self.env.flush_all()
        self.assertFalse(self.ask("Hello", self.jonas)["emails"])
        [email] = self.ask("anna@acme.example", self.jonas)["emails"]
        self.assertFalse(email["subject"])

    def test_mail_of_others_is_not_there_by_any_road(self):
        stray = self.receive(
            self.mailbox, sender="doctor@private.example", subject="Findings"
        )
        private = self.receive(self.mailbox, subject="Findings")
        self.make_private(private)
        for user in (self.jonas, self.sofia, self.bea):
            for text in ("Findings", "doctor@private.example", stray.message_id):
                answer = self.ask(text, user)
                self.assertFalse(answer["emails"])
                self.assertNotIn(
                    "mira@ours.example", str(answer["mailboxes"]) + str(answer["steps"])
                )
        # that somebody was in Bcc is known to those who sent it
        self.send(self.mailbox, bcc="bruno@beck.example", subject="Copied")
        self.assertEqual(len(self.ask("bruno@beck.example")["emails"]), 1)
        self.assertFalse(self.ask("bruno@beck.example", self.jonas)["emails"])
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.ask("Findings", user)

    def test_a_record_that_one_may_not_read_is_not_named(self):
        self.add_lead("Secret deal", self.mira, "buyer@x.example")
        self.follow_addresses()
        self.assertTold(self.words(self.ask("buyer@x.example")["steps"]), "Secret deal")
        words = self.words(self.ask("buyer@x.example", self.jonas)["steps"])
        self.assertEqual(
            words,
            ["No contact, lead or opportunity that you can see has buyer@x.example."],
        )

    # --- a mailbox ---

    def test_how_far_a_mailbox_is_read(self):
        self.assertTold(
            self.mailbox_words("x"), "It was read last on", "older ones are not"
        )
        for values, words in (
            ({"sync_status": "draft"}, "was not read yet"),
            ({"sync_status": "paused"}, "It is paused"),
            (
                {"sync_status": "error", "last_error": "No password."},
                "It cannot be read: No password.",
            ),
        ):
            self.mailbox.write(values)
            self.env.flush_all()
            self.assertTold(self.mailbox_words("x"), words)
        self.mailbox.write({"sync_status": "ok", "sync_done": 7, "sync_total": 90})
        self.mailbox.folder_ids[0].settled = False
        self.assertTold(self.mailbox_words("x"), "It is still being read: 7 of 90.")

    def test_what_a_mailbox_does_not_read(self):
        self.mailbox.folder_ids.filtered(lambda f: f.role == "sent").selected = False
        self.set_aside(self.mailbox)
        self.env.flush_all()
        self.assertTold(
            self.mailbox_words("x"),
            "Not read there: Sent.",
            "1 email could not be read and is set aside, because: It is broken.",
        )

    def test_what_a_rule_leaves_out(self):
        env = self.as_user(self.mailbox, self.mira).env
        env["easycrm.email.rule"].create({"pattern": "bank.example"})
        raws = [raw_mail(sender=f"{who}.example") for who in ("x@bank", "y@acme")]
        refs = ["1:7001", "1:7002"]
        for raw, ref in zip(raws, refs, strict=True):
            self.deliver(self.mailbox, raw, refs=[ref])
        words = self.mailbox_words("x@bank.example")
        self.assertTold(
            words,
            "The rule “@bank.example” never stores its emails.",
            "Left out here, and not stored: 1 by “@bank.example”.",
        )
        self.assertNotTold(self.mailbox_words("y@acme.example"), "never stores")
        self.assertTold(self.mailbox_words("mira@ours.example"), "this mailbox itself")
        # a member of the mailbox does not hear of its owner's rules
        self.mailbox.member_ids = self.jonas
        self.env.flush_all()
        words = self.mailbox_words("x@bank.example", self.jonas)
        self.assertNotTold(words, "bank.example")


@tagged("post_install", "-at_install")
class TestWhereLive(RealMailbox, TransactionCase):
    """The mailbox itself is asked: a real Dovecot."""

    def ask(self, text, user=None, account=None):
        env = self.as_user(self.account, user or self.mira).env
        steps = env["easycrm.email.where"].ask_mailbox(
            (account or self.account).id, text
        )
        return [step["words"] for step in steps]

    def test_each_email_with_what_became_of_it(self):
        env = self.as_user(self.account, self.mira).env
        env["easycrm.email.rule"].create({"pattern": "bank.example"})
        self.deliver("Offer", message_id="<offer@acme.example>")
        self.deliver("Account", sender="x@bank.example")
        self.deliver("Old", message_id="<old@acme.example>", folder="Archive")
        self.start()
        self.run_cron("_cron_backfill")
        self.deliver("New", message_id="<new@acme.example>")
        for text, words in (
            ("<offer@acme.example>", "The mailbox has 1: stored here."),
            ("x@bank.example", "The mailbox has 1: left out: @bank.example."),
            (
                "<old@acme.example>",
                "The mailbox has 1: in a folder that is not read: Archive.",
            ),
            ("<none@acme.example>", "The mailbox does not have it."),
        ):
            self.assertEqual(self.ask(text), [words])
        [words] = self.ask("<new@acme.example>")
        self.assertIn("or comes with the next sync", words)
        [failure] = self.env["easycrm.email.location"].search(
            [("copy_id.email_id.message_id", "=", "<offer@acme.example>")]
        )
        self.env["easycrm.email.failure"].create(
            {
                "account_id": self.account.id,
                "stream": failure.stream,
                "provider_ref": failure.provider_ref,
                "error": "It is broken.",
            }
        )
        failure.unlink()
        self.assertEqual(
            self.ask("<offer@acme.example>"),
            ["The mailbox has 1: set aside, because: It is broken."],
        )
        # a member hears that it was left out, not by which of the owner's rules
        self.account.member_ids = self.jonas
        self.assertEqual(
            self.ask("x@bank.example", self.jonas),
            ["The mailbox has 1: left out of what is stored."],
        )

    def test_a_mailbox_that_does_not_answer_says_why(self):
        self.account.imap_password = "wrong"
        [words] = self.ask("<offer@acme.example>")
        self.assertIn("It did not answer: ", words)
        self.assertIn("does not accept the password", words)

    def test_others_and_subjects_are_not_asked(self):
        for user in (self.jonas, self.sofia, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.ask("<offer@acme.example>", user)
        for text in ("offer for chairs", "", None):
            with self.assertRaises(UserError):
                self.ask(text)
