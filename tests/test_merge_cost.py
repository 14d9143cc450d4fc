"""What merging costs: the same statements for twenty thousand emails as for two."""

from odoo.tests import tagged
from odoo.tools import SQL

from . import test_index_use
from .merge_case import MergeCase


@tagged("post_install", "-at_install")
class TestCostOfAMerge(MergeCase):
    # the rows are rolled back but their pages stay: after the other tests
    test_sequence = 100

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(test_index_use.TestPlans.give_back_pages)
        super().setUpClass()
        cls.deal = cls.add_lead("Deal", cls.mira, "x@buyer.example")
        cls.lead = cls.add_lead("Lead", cls.mira, "x@buyer.example", type="lead")

    def fill(self, number, *records):
        """Give the records so many emails each, half of them on both."""
        owner = self.env["easycrm.email.address"]._get_owner_field(records[0]._name)
        values = {
            "company": self.company_a.id,
            "emails": number * 3 // 2,
            "number": number,
        }
        for table, statement in (
            (
                "easycrm_email_thread",
                """INSERT INTO easycrm_email_thread (company_id, root, privacy)
                   SELECT %(company)s, '<fill' || i || '@x.example>', 'shared'
                   FROM generate_series(1, %(emails)s) i""",
            ),
            (
                "easycrm_email",
                """INSERT INTO easycrm_email (company_id, thread_id, message_id, digest,
                       date, direction, is_linked, has_files)
                   SELECT company_id, id, root, md5(root),
                          timestamp '2025-01-01' + id * interval '1 minute',
                          'inbound', TRUE, FALSE
                   FROM easycrm_email_thread WHERE root LIKE '<fill%%'""",
            ),
        ):
            self.cr.execute(statement, values)
            # else the checks of foreign keys go on as planned for an empty table
            self.cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        for place, record in enumerate(records):
            self.cr.execute(
                f"""
                INSERT INTO easycrm_email_link (email_id, {owner}, thread_id,
                    company_id, date, origin, role, address, removed)
                SELECT id, %(record)s, thread_id, company_id, date, 'auto', 'from',
                       'x@x.example', FALSE
                FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS n
                      FROM easycrm_email WHERE message_id LIKE '<fill%%') AS email
                WHERE n >= %(start)s AND n < %(start)s + %(number)s
                """,
                {**values, "record": record.id, "start": place * (number // 2)},
            )
        self.cr.execute("ANALYZE easycrm_email_link")
        self.env.invalidate_all()

    def count_queries(self, number, into, other):
        """Return how many statements a merge takes, core's own included."""
        with self.cr.savepoint() as savepoint:
            self.fill(number, into, other)
            self.env["easycrm.email.address"].search([]).look_again_at = False
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.merge(into, other)
            queries = self.cr.sql_log_count - before
            owner = self.env["easycrm.email.address"]._get_owner_field(into._name)
            links = self.env["easycrm.email.link"]
            self.assertEqual(
                links.search_count([(owner, "=", into.id)]), number * 3 // 2
            )
            savepoint.rollback()
            self.env.invalidate_all()
        return queries

    def test_20000_emails_on_each_take_as_many_queries_as_2(self):
        for pair in ((self.bruno, self.twin), (self.deal, self.lead)):
            self.count_queries(2, *pair)  # what is looked up once in a process
            few = self.count_queries(2, *pair)
            # (a second that ends meanwhile may write a time once more)
            self.assertLessEqual(self.count_queries(20_000, *pair), few + 3)
