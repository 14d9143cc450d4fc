import re
from datetime import datetime, timezone
from functools import partial
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests import get_db_name, tagged
from odoo.tools import SQL

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models import easycrm_email_retention
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.providers import RemoteMessage
from .common import MailCase, raw_mail
from .partner_rows import insert_partners

#: Tables that grow with the mail; the others (mailboxes, folders) stay small.
LARGE = [
    "res_partner",
    *("easycrm_email", "easycrm_email_content", "easycrm_email_participant"),
    *("easycrm_email_copy", "easycrm_email_location", "easycrm_email_thread"),
    *("easycrm_email_link", "easycrm_email_address", "easycrm_email_attachment"),
]


@tagged("post_install", "-at_install")
class TestPlans(MailCase):
    """With many rows the hot paths go along indexes.

    What the statements did is asked of PostgreSQL's own counters: how often a table
    was scanned from end to end in this transaction, and how many rows were fetched.
    """

    # the rows are rolled back but their pages stay: after the other tests
    test_sequence = 100

    EMAILS = 40_000

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(cls.give_back_pages)  # registered first, called last
        super().setUpClass()
        cls.many = cls.env["res.partner"].create(
            {"name": "Many", "email": "many@many.example"}
        )
        cls.cr.flush()
        values = {
            "company": cls.company_a.id,
            "account": cls.mailbox.id,
            "many": cls.many.id,
            "emails": cls.EMAILS,
        }
        cls.env["res.partner"].flush_model()
        insert_partners(
            cls.many,
            10_000,
            commercial_partner_id="new_id",
            name="'P' || i",
            email="'p' || i || '@plan.example'",
            email_normalized="'p' || i || '@plan.example'",
        )
        cls.cr.execute("ANALYZE res_partner")
        for statement in (
            # the first is that of the field, nine further ones are nobody's
            """INSERT INTO easycrm_email_address (address, partner_id, source)
               SELECT CASE WHEN n = 0 THEN '' ELSE n || '.' END || email_normalized,
                      id, CASE WHEN n = 0 THEN 'field' ELSE 'extra' END
               FROM res_partner, generate_series(0, 9) n
               WHERE email_normalized LIKE '%%@plan.example'""",
            """INSERT INTO easycrm_email_thread (company_id, root, privacy)
               SELECT %(company)s, '<plan' || i || '@plan.example>', 'shared'
               FROM generate_series(1, %(emails)s / 2) i""",
            """INSERT INTO easycrm_email (company_id, thread_id, message_id, digest,
                   date, direction, is_linked, has_files)
               SELECT %(company)s, t.id, '<' || n || t.root, md5(t.root),
                      timestamp '2025-01-01' + t.id * interval '1 minute',
                      'inbound', n = 1, FALSE
               FROM easycrm_email_thread t, generate_series(1, 2) n
               WHERE t.root LIKE '<plan%%'""",
            """INSERT INTO easycrm_email_content (email_id, subject, snippet, body_text,
                   search_vector)
               SELECT id, 'Plan', 'Text', 'Text',
                      (CASE WHEN thread_id %% 4000 = 1 THEN 'plan rare' ELSE 'plan' END
                       || ' nr' || id %% 5000)::tsvector
               FROM easycrm_email WHERE message_id LIKE '%%plan%%'""",
            """INSERT INTO easycrm_email_copy (email_id, account_id, direction, date,
                   is_read, is_unlinked, ignored)
               SELECT id, %(account)s, 'inbound', date, TRUE, NOT is_linked, FALSE
               FROM easycrm_email WHERE message_id LIKE '%%plan%%'""",
            """INSERT INTO easycrm_email_attachment (email_id, name, mimetype, size,
                   inline, part)
               SELECT id, 'a.txt', 'text/plain', 7, FALSE, '0' FROM easycrm_email
               WHERE message_id LIKE '%%plan%%'""",
            """INSERT INTO easycrm_email_location (copy_id, account_id, stream,
                   provider_ref)
               SELECT id, account_id, 'INBOX', '1:' || id FROM easycrm_email_copy""",
            """INSERT INTO easycrm_email_participant (email_id, role, address)
               SELECT e.id, role, 'p' || 1 + (e.id * 7 + ascii(role)) %% 10000
                                      || '@plan.example'
               FROM easycrm_email e, unnest(ARRAY['from', 'to', 'cc']) role
               WHERE message_id LIKE '%%plan%%'""",
            """INSERT INTO easycrm_email_link (email_id, partner_id, thread_id, date,
                   company_id, commercial_partner_id, origin, role, address, removed)
               SELECT DISTINCT ON (e.id, a.partner_id)
                      e.id, a.partner_id, e.thread_id, e.date, e.company_id,
                      a.partner_id, 'auto', p.role, p.address, FALSE
               FROM easycrm_email e
               JOIN easycrm_email_participant p ON p.email_id = e.id
               JOIN easycrm_email_address a ON a.address = p.address
               WHERE e.is_linked AND message_id LIKE '%%plan%%'""",
            """INSERT INTO easycrm_email_link (email_id, partner_id, thread_id, date,
                   company_id, commercial_partner_id, origin, role, address, removed)
               SELECT id, %(many)s, thread_id, date, company_id, %(many)s, 'auto',
                      CASE WHEN thread_id %% 10 = 0 THEN 'bcc' ELSE 'cc' END,
                      'many@many.example', FALSE
               FROM easycrm_email WHERE is_linked AND message_id LIKE '%%plan%%'""",
        ):
            cls.cr.execute(statement, values)
            # else the checks of foreign keys go on as planned for an empty table
            table = re.search(r"\w+_\w+", statement)[0]
            cls.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        cls.cr.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        cls.env.invalidate_all()

    @classmethod
    def give_back_pages(cls):
        """Leave the database as small, and as well known to the planner, as it was."""
        with db_connect(get_db_name()).cursor() as cr:
            cr._cnx.autocommit = True
            for table in [*LARGE, "easycrm_email_rule"]:
                cr.execute(SQL("VACUUM (ANALYZE) %s", SQL.identifier(table)))
            cr._cnx.autocommit = False

    def read_counters(self, tables):
        self.env.flush_all()
        self.cr.execute(
            """SELECT relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0)
               FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)""",
            [list(tables)],
        )
        return {name: (scans, rows) for name, scans, rows in self.cr.fetchall()}

    def assertCheap(self, call, rows, tables=tuple(LARGE)):
        """Assert that a call scans no large table and fetches few of their rows.

        :param rows: how many, of all of them together
        """
        before = self.read_counters(tables)
        result = call()
        after = self.read_counters(tables)
        scanned = {
            name: after[name][0] - before[name][0]
            for name in tables
            if after[name][0] > before[name][0]
        }
        self.assertEqual(scanned, {})
        fetched = sum(after[name][1] - before[name][1] for name in tables)
        self.assertLess(fetched, rows)
        return result

    def test_there_are_many_rows(self):
        self.assertGreater(self.env["easycrm.email.link"].search_count([]), 75_000)

    def test_a_timeline_page_costs_a_page(self):
        for user in (self.mira, self.jonas):
            with self.subTest(user=user.login):
                self.as_user(self.many, user).easycrm_timeline()
                page = self.open_page(user, False, 12_000)
                self.assertEqual(len(page["conversations"]), 30)
                self.assertTrue(page["count_capped"])
                page = self.open_page(user, page["next"], 2_500)
                self.assertEqual(len(page["conversations"]), 30)

    def open_page(self, user, before, rows):
        partner = self.as_user(self.many, user)
        return self.assertCheap(lambda: partner.easycrm_timeline(before), rows)

    def test_a_search_looks_at_a_limited_number(self):
        # the rest of the record's 20,000 is for the next pages
        for filters, rows, count in (
            ({"search": "plan"}, 120_000, 1000),
            ({"search": "rare"}, 50_000, 1),
            ({"search": "nothing"}, 50_000, 0),
            ({"search": "p77@plan.example"}, 50_000, 0),
            ({"direction": "inbound"}, 60_000, 1000),
            ({"direction": "outbound"}, 60_000, 0),
            ({"attachments": True}, 50_000, 0),
            ({"person": "p77@plan.example"}, 50_000, 0),
        ):
            for user in (self.mira, self.jonas):
                with self.subTest(user=user.login, filters=filters):
                    partner = self.as_user(self.many, user)
                    search = partial(partner.easycrm_timeline, filters=filters)
                    page = self.assertCheap(search, rows)
                    self.assertGreaterEqual(page["count"], count)
                    self.assertTrue(page["next"])
                    self.assertTrue(page["count_capped"])

    def test_the_unlinked_inbox_costs_a_page(self):
        domain = [("is_unlinked", "=", True), ("ignored", "=", False)]
        specification = {"subject": {}, "snippet": {}, "from_address": {}, "date": {}}
        copies = self.as_user(self.env["easycrm.email.copy"], self.mira)
        page = self.assertCheap(
            lambda: copies.search(domain, limit=80).web_read(specification), 2_000
        )
        self.assertEqual(len(page), 80)

    def test_a_list_of_emails_costs_a_page(self):
        for user in (self.mira, self.jonas):
            with self.subTest(user=user.login):
                emails = self.as_user(self.env["easycrm.email"], user)
                search = partial(emails.search, [], limit=80)
                self.assertEqual(len(self.assertCheap(search, 5_000)), 80)

    def test_storing_a_batch_costs_the_batch(self):
        raws = [
            raw_mail(
                sender=f"p{number}@plan.example",
                message_id=f"<new{number}@plan.example>",
                references=[f"<plan{number}@plan.example>"],
            )
            for number in range(1, 31)
        ]
        reads = [
            Read(RemoteMessage(f"9:{i}", raw, True), parse(raw))
            for i, raw in enumerate(raws)
        ]
        ingest = Ingest(self.mailbox, "INBOX")
        ids = self.assertCheap(lambda: ingest.store(reads), 3_000)
        self.assertEqual(len(ids), 30)
        emails = self.env["easycrm.email"].browse(ids)
        self.assertEqual(len(emails.link_ids), 30)
        self.assertEqual(self.assertCheap(lambda: ingest.store(reads), 3_000), [])
        refs = [f"9:{i}" for i in range(30)]
        self.assertCheap(lambda: ingest.remove(refs), 1_000)

    def test_storing_under_rules_costs_the_batch(self):
        rules = self.env["easycrm.email.rule"]
        for kind in ("never_store", "never_link"):
            for pattern in ("p31@plan.example", "@below.plan.example"):
                rules.create(
                    {"pattern": pattern, "kind": kind, "user_id": self.mira.id}
                )
        rules.create(
            {"pattern": "p32@plan.example", "kind": "never_link", "user_id": 1}
        )
        reads = []
        for number in range(30):
            raw = raw_mail(sender=f"p{number + 2}@plan.example")
            reads.append(Read(RemoteMessage(f"9:{number}", raw, True), parse(raw)))
        ingest = Ingest(self.mailbox, "INBOX")
        ids = self.assertCheap(lambda: ingest.store(reads), 4_000)
        self.assertEqual(len(ids), 29)
        self.assertEqual(self.assertCheap(lambda: ingest.store(reads), 4_000), [])

    def test_a_hundred_thousand_rules_of_one_user_cost_others_nothing(self):
        """Nor himself more than the batch: rules are found by who stands in it."""
        rules = self.env["easycrm.email.rule"]
        rules.create({"pattern": "p41@plan.example", "user_id": self.mira.id})
        self.env.flush_all()
        for kind in ("never_store", "never_link", "ignore", "always_link"):
            self.cr.execute(
                """INSERT INTO easycrm_email_rule (kind, pattern, user_id, partner_id)
                   SELECT %(kind)s, 'x' || i || '@rules.example', %(user)s, %(partner)s
                   FROM generate_series(1, 25000) i""",
                {
                    "kind": kind,
                    "user": self.jonas.id,
                    "partner": self.many.id if kind == "always_link" else None,
                },
            )
        self.cr.execute("ANALYZE easycrm_email_rule")
        own = [
            raw_mail(sender=f"p{number}@plan.example", to="jonas@ours.example")
            for number in range(40, 60)
        ]
        theirs = raw_mail(sender="x7@rules.example", to="jonas@ours.example")
        for mailbox, raws, count in (
            (self.mailbox, own, 19),
            (self.mailbox, [theirs], 1),
        ):
            reads = [
                Read(RemoteMessage(f"9:{n}", raw, True), parse(raw))
                for n, raw in enumerate(raws)
            ]
            store = partial(Ingest(mailbox, "INBOX").store, reads)
            ids = self.assertCheap(store, 500, tables=["easycrm_email_rule"])
            self.assertEqual(len(ids), count)
        # (himself: what he has taught is looked at mail by mail)
        self.cr.execute("DELETE FROM easycrm_email_rule WHERE kind = 'always_link'")
        reads = [Read(RemoteMessage("9:9", theirs, True), parse(theirs))]
        store = partial(Ingest(self.jonas_mailbox, "INBOX").store, reads)
        self.assertEqual(self.assertCheap(store, 500, ["easycrm_email_rule"]), [])

    def test_a_rule_for_an_address_costs_its_mail(self):
        window = self.env["easycrm.email.rule.add"].with_user(self.mira)
        adding = window.create({"pattern": "p83@plan.example", "kind": "never_link"})
        self.assertCheap(lambda: adding.here_count, 3_000)
        self.assertTrue(adding.here_count)
        self.assertTrue(adding.linked_count)
        self.assertCheap(adding.action_add_and_clear, 3_000)
        rule = self.env["easycrm.email.rule"].search([])
        self.assertCheap(rule.unlink, 5_000)

    def test_deleting_what_is_too_old_costs_a_batch(self):
        """There are 20,000 unlinked mails; those of the last day are kept."""
        Email = self.env["easycrm.email"]
        self.env["ir.config_parameter"].set_param("easycrm_mail.unlinked_days", "1")
        linked = Email.search_count([("is_linked", "=", True)])
        with patch.object(easycrm_email_retention, "BATCH", 50):
            self.assertEqual(self.assertCheap(Email._gc_unlinked, 3_000), (50, True))
        self.assertEqual(Email.search_count([("is_linked", "=", True)]), linked)
        self.env["ir.config_parameter"].set_param("easycrm_mail.unlinked_days", "36500")
        self.assertEqual(self.assertCheap(Email._gc_unlinked, 1_000), (0, False))

    def test_what_is_to_be_handed_over_costs_the_last_days(self):
        self.receive(self.mailbox, date=datetime.now(timezone.utc))
        self.mira.action_archive()
        mailbox = self.as_user(self.mailbox, self.sofia)
        mailbox._get_open_conversations()  # rules and groups are in the cache
        mailbox = self.as_user(self.mailbox, self.sofia)
        found = self.assertCheap(mailbox._get_open_conversations, 3_000)
        self.assertEqual(len(found[mailbox]), 1)

    def test_a_new_contact_costs_its_mail(self):
        def add():
            contact = self.env["res.partner"].create(
                {"name": "New", "email": "p77@plan.example"}
            )
            self.cr.flush()
            return contact

        contact = self.assertCheap(add, 3_000)
        self.assertTrue(contact.easycrm_email_link_ids)

    def test_a_changed_address_costs_its_mail(self):
        contact = self.env["res.partner"].search([("name", "=", "P79")])

        def change():
            contact.email = "p80@plan.example"
            self.cr.flush()

        self.assertCheap(change, 3_000)
        self.assertEqual(
            set(contact.easycrm_email_link_ids.mapped("address")), {"p80@plan.example"}
        )
