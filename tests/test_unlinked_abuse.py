from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import raw_mail
from .unlinked_case import UnlinkedCase


@tagged("post_install", "-at_install")
class TestUnlinkedAbuse(UnlinkedCase):
    """Somebody tries to get at more than is his by what Unlinked Emails offers."""

    def forget_caches(self):
        """Forget whose mailboxes are whose: it was just changed."""
        self.env.flush_all()
        self.registry.clear_all_caches()

    def test_a_conversation_that_was_taught_brings_no_mail_of_others(self):
        """Whoever forges an answer has his mail in a conversation of others."""
        secret = self.stranger(mailbox=self.jonas_mailbox, subject="Salaries")
        forged = self.stranger(
            2, mailbox=self.mailbox, references=[secret.message_id], subject="Re"
        )
        self.assertEqual(forged.thread_id, secret.thread_id)
        contact = self.env["res.partner"].create({"name": "Bait"})
        done = self.inbox().link_to(self.ids(forged), "res.partner", contact.id)
        self.inbox().teach(done["batch"], "thread")
        answer = self.receive(
            self.jonas_mailbox,
            sender="someone@elsewhere.example",
            references=[secret.message_id],
            subject="Re: Salaries",
        )
        self.assertVisible(self.mira, secret, None)
        self.assertVisible(self.mira, answer, None)
        self.assertLinked(answer, [])

    def test_one_opportunity_only_brings_no_mail_of_others(self):
        secret = self.stranger(1, mailbox=self.jonas_mailbox, subject="Salaries")
        forged = self.stranger(2, references=[secret.message_id], subject="Re")
        lead = self.add_lead("Bait", self.mira)
        self.inbox().link_to(self.ids(forged), "crm.lead", lead.id)
        self.as_user(lead, self.mira).easycrm_only_here(forged.thread_id.id)
        theirs = self.add_lead("Theirs", self.jonas, "tobias1@union.example")
        self.assertVisible(self.mira, secret, None)
        self.assertLinked(secret, [theirs])

    def test_undo_of_a_take_off_is_for_who_may_change_the_record(self):
        email = self.stranger()
        lead = self.add_lead("Shared", self.mira)
        self.inbox().link_to(self.ids(email), "crm.lead", lead.id)
        self.as_user(email.link_ids, self.mira).action_take_off()
        batch = self.env["easycrm.email.batch"].search([], limit=1)
        self.assertEqual(batch.kind, "take_off")
        lead.user_id = self.jonas
        self.cr.flush()
        with self.assertRaises(AccessError):
            self.inbox().undo(batch.id)
        self.assertLinked(email, [])

    def test_undo_leaves_a_mailbox_alone_that_was_given_away(self):
        email = self.stranger()
        done = self.inbox().ignore(self.ids(email), "these")
        self.mailbox.user_id = self.jonas
        self.forget_caches()
        self.inbox().undo(done["batch"])
        self.assertTrue(self.copy_in(self.mailbox, email).ignored)

    def test_who_has_lost_the_group_does_nothing(self):
        email = self.stranger()
        done = self.inbox().link_to(self.ids(email), "res.partner", self.bruno.id)
        self.mira.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.forget_caches()
        inbox = self.inbox()
        copies = self.ids(email)
        calls = {
            "teach": lambda: inbox.teach(done["batch"], "address"),
            "undo": lambda: inbox.undo(done["batch"]),
            "count": lambda: inbox.unlinked_count(),
            "groups": lambda: inbox.unlinked_groups([]),
            "page": lambda: inbox.unlinked_page([]),
            "ids": lambda: inbox.unlinked_ids([]),
            "find": lambda: inbox.find_records("a"),
            "new": lambda: inbox.new_record_defaults(copies, "crm.lead"),
            "ignore": lambda: inbox.ignore(copies, "these"),
            "where": lambda: inbox.env["easycrm.email.where"].ask("a@b.example"),
        }
        for name, call in calls.items():
            with self.subTest(name=name), self.assertRaises(AccessError):
                call()

    def test_no_colleagues_domain_is_taught(self):
        self.connect(self.jonas, "jonas@firm.example")
        email = self.receive(
            self.mailbox, sender="boss@firm.example", to="mira@ours.example"
        )
        done = self.inbox().link_to(self.ids(email), "res.partner", self.anna.id)
        options = {option["scope"]: option for option in done["question"]["options"]}
        self.assertEqual(options["domain"]["why"], "That is your own domain.")
        with self.assertRaises(UserError):
            self.inbox().ignore(self.ids(email), "domain")

    def test_undo_keeps_what_an_address_finds_by_now(self):
        email = self.stranger()
        done = self.inbox().link_to(self.ids(email), "res.partner", self.bruno.id)
        self.bruno.easycrm_other_emails = "tobias1@union.example"
        self.cr.flush()
        self.inbox().undo(done["batch"])
        self.assertLinked(email, [self.bruno])

    def test_undo_leaves_what_somebody_did_since(self):
        email = self.stranger()
        lead = self.add_lead("Open", self.sofia)
        self.mailbox.member_ids = self.sofia
        self.forget_caches()
        self.inbox(self.sofia).link_to(self.ids(email), "crm.lead", lead.id)
        self.as_user(email.link_ids, self.sofia).action_take_off()
        take_off = self.env["easycrm.email.batch"].search([], limit=1).id
        lead.user_id = self.mira
        self.cr.flush()
        self.inbox().link_to(self.ids(email), "crm.lead", lead.id)
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.inbox(self.sofia).undo(take_off)
        self.assertLinked(email, [])

    def test_undo_of_ignoring_leaves_what_somebody_did_since(self):
        email = self.stranger()
        self.mailbox.member_ids = self.jonas
        self.forget_caches()
        done = self.inbox().ignore(self.ids(email), "these")
        self.inbox(self.jonas).bring_back(self.ids(email))
        self.inbox(self.jonas).ignore(self.ids(email), "these")
        self.inbox().undo(done["batch"])
        self.assertTrue(email.copy_ids.ignored)

    def test_what_a_member_teaches_is_for_the_teams_mailbox_and_his_own_only(self):
        self.mailbox.member_ids = self.jonas
        self.forget_caches()
        email = self.stranger()
        self.inbox(self.jonas).ignore(self.ids(email), "address")
        self.assertTrue(self.stranger().copy_ids.ignored)
        self.assertTrue(self.stranger(mailbox=self.jonas_mailbox).copy_ids.ignored)
        elsewhere = self.connect(self.mira, "mira2@ours.example")
        self.assertFalse(self.stranger(mailbox=elsewhere).copy_ids.ignored)
        # whoever answers for it teaches it as well
        self.inbox().ignore(self.ids(self.stranger(2)), "address")
        self.assertTrue(self.stranger(2).copy_ids.ignored)

    def test_each_teaches_a_conversation_for_the_mail_of_his_own(self):
        raw = raw_mail(sender="x@union.example", message_id="<root@union.example>")
        [first] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        for user, mailbox in (
            (self.mira, self.mailbox),
            (self.jonas, self.jonas_mailbox),
        ):
            other = self.receive(
                mailbox, sender="y@union.example", references=[first.message_id]
            )
            inbox = self.inbox(user)
            ids = self.ids(other, mailbox=mailbox)
            done = inbox.link_to(ids, "res.partner", self.bruno.id)
            inbox.teach(done["batch"], "thread")
        for mailbox in (self.mailbox, self.jonas_mailbox):
            answer = self.receive(
                mailbox, sender="z@union.example", references=[first.message_id]
            )
            self.assertLinked(answer, [self.bruno])

    def test_a_reason_tells_nothing_of_a_hidden_contact(self):
        self.env["res.partner"].create(
            {
                "name": "Hidden",
                "email": "hidden@union.example",
                "parent_id": self.acme.id,
                "company_id": self.company_b.id,
            }
        )
        self.cr.flush()
        found = self.inbox().suggest_records(self.ids(self.stranger()))
        self.assertEqual(found["suggested"], [])

    def test_no_count_keeps_the_address_of_who_was_erased(self):
        self.receive(self.mailbox, sender="bruno@beck.example")
        erase = self.as_user(self.env["easycrm.email.erase"], self.admin)
        erase.create(
            {"partner_ids": [Command.set(self.bruno.ids)], "emails": "delete"}
        ).action_erase()
        self.env.flush_all()
        kept = [("address", "=", "bruno@beck.example")]
        self.assertFalse(self.env["easycrm.email.tally"].search(kept))

    def test_no_domain_tells_what_is_hidden(self):
        raw = raw_mail(sender="x@union.example", bcc="secret@union.example")
        [email] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        theirs = self.copy_in(self.jonas_mailbox, email)
        lead = self.add_lead("Hidden", self.jonas)
        inbox = self.inbox(self.jonas)
        inbox.link_to(theirs.ids, "crm.lead", lead.id)
        tombstone = email.link_ids
        for domain in (
            [("email_id.link_ids", "!=", False)],
            [("email_id.link_ids.lead_id", "!=", False)],
            [("email_id.link_ids.lead_id", "=", lead.id)],
            [("email_id.link_ids.lead_id.name", "ilike", "hidden")],
            [("email_id.link_ids.removed", "=", True)],
            [("email_id.copy_ids.account_id.user_id", "=", self.jonas.id)],
            [("email_id.copy_ids.account_id", "=", self.jonas_mailbox.id)],
            [("email_id.copy_ids", "in", theirs.ids)],
            [("email_id.participant_ids.address", "=", "secret@union.example")],
            [("email_id.participant_ids.role", "=", "bcc")],
            [("people", "ilike", "secret")],
            [("words", "ilike", "secret")],
        ):
            with self.subTest(domain=domain):
                copies = self.inbox()
                self.assertEqual(copies.search_count(domain), 0)
                self.assertEqual(copies.search_count([]), 1)
        self.as_user(tombstone, self.jonas).action_take_off()
        tombs = [("email_id.link_ids", "!=", False)]
        self.assertEqual(self.inbox().unlinked_groups(tombs)["mails"], 0)

    def test_what_no_database_takes_is_no_error_of_the_database(self):
        email = self.stranger()
        inbox, ids = self.inbox(), self.ids(email)
        batch = inbox.link_to(ids, "res.partner", self.bruno.id)["batch"]
        inbox.ignore(self.ids(self.stranger(2)), "these")
        odd = "x\0\ud800y"
        huge = 10**40
        where = inbox.env["easycrm.email.where"]
        for by in ("from_address", "from_domain", "account_id", "date:month"):
            for offset, limit in ((-5, -5), (huge, huge)):
                for domain in ([], [("from_address", "ilike", "u")]):
                    for ignored in (False, True):
                        inbox.unlinked_groups(domain, offset, limit, ignored, by)
        for limit in (-5, huge):
            inbox.unlinked_page([], limit=limit)
            inbox.find_records("Bruno", limit)
            inbox.find_others(batch, "thread", limit)
        for domain in (
            [("from_address", "=", odd)],
            [["from_domain", "in", [odd]]],
            ["|", ("words", "ilike", odd), ("people", "ilike", odd)],
            [("email_id", "any", [("message_id", "=", odd)])],
        ):
            self.assertEqual(inbox.unlinked_page(domain)["rows"], [])
            self.assertEqual(inbox.unlinked_groups(domain)["mails"], 0)
            self.assertEqual(inbox.unlinked_ids(domain)["ids"], [])
        for by in ("from_address", "from_domain"):
            self.assertEqual(inbox.unlinked_page([], key=odd, by=by)["rows"], [])
        self.assertEqual(inbox.find_records(odd), [])
        self.assertEqual(where.ask(odd)["emails"], [])
        self.assertEqual(where.ask(f"<{odd}@x.example>")["emails"], [])
        for call in (
            lambda: inbox.unlinked_page([], odd),
            lambda: inbox.unlinked_page([], key=odd, by="account_id"),
            lambda: inbox.unlinked_page([], key="9999-12-31", by="date:year"),
            lambda: inbox.unlinked_groups([], by=odd),
            lambda: inbox.link_to(ids, odd, 1),
            lambda: inbox.link_to(ids, "res.partner", huge),
            lambda: inbox.link_to([huge], "res.partner", self.bruno.id),
            lambda: inbox.teach(batch, odd),
            lambda: inbox.ignore(ids, odd),
            lambda: inbox.undo(huge),
            lambda: inbox.undo(-huge),
        ):
            with self.assertRaises(UserError):
                call()

    def test_no_domain_is_taught_that_countless_firms_are_below(self):
        email = self.receive(self.mailbox, sender="x@co.uk")
        done = self.inbox().link_to(self.ids(email), "res.partner", self.anna.id)
        options = {option["scope"]: option for option in done["question"]["options"]}
        self.assertIn("Anybody can have", options["domain"]["why"])
        with self.assertRaises(UserError):
            self.inbox().ignore(self.ids(email), "domain")

    def test_no_domain_is_taught_that_our_own_is_below(self):
        self.connect(self.jonas, "jonas@mail.firm.example")
        email = self.receive(self.mailbox, sender="x@firm.example")
        done = self.inbox().link_to(self.ids(email), "res.partner", self.anna.id)
        options = {option["scope"]: option for option in done["question"]["options"]}
        self.assertEqual(options["domain"]["why"], "That is your own domain.")
        with self.assertRaises(UserError):
            self.inbox().ignore(self.ids(email), "domain")

    def test_undo_leaves_what_another_step_has_taught(self):
        first = self.stranger()
        answer = self.receive(
            self.mailbox, sender="y@union.example", references=[first.message_id]
        )
        lead = self.add_lead("Chairs", self.mira)
        steps = [
            self.inbox().link_to(self.ids(email), "crm.lead", lead.id)["batch"]
            for email in (first, answer)
        ]
        for step in steps:
            self.inbox().teach(step, "thread")
        late = self.receive(
            self.mailbox, sender="z@union.example", references=[first.message_id]
        )
        self.inbox().undo(steps[0])
        self.assertLinked(late, [lead])
        self.inbox().undo(steps[1])
        self.assertLinked(late, [])
        self.assertLinked(first, [])
