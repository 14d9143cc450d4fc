"""What storing and showing mail costs: it grows with the work, not with the past."""

from odoo.tests import tagged

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.models.sync_run import SyncRun
from ..easycrm_mail.providers import RemoteMessage
from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestQueriesOfABatch(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contacts = cls.env["res.partner"].create(
            [
                {"name": f"Contact {i}", "email": f"contact{i}@many.example"}
                for i in range(50)
            ]
        )
        cls.follow = cls.cr.flush()
        # what is looked up once in a process is not what is measured
        cls.deliver(cls.mailbox, raw_mail())

    def read(self, number, at):
        """Return mails with four contacts each, every fifth an answer to another."""
        reads = []
        for i in range(number):
            people = [f"contact{(i * 4 + k) % 50}@many.example" for k in range(4)]
            raw = raw_mail(
                sender=people[0],
                to=f"mira@ours.example, {people[1]}",
                cc=f"{people[2]}, {people[3]}",
                message_id=f"<{at}-{i}@many.example>",
                references=[f"<{at}-{i - i % 5}@many.example>"] if i % 5 else [],
                attachments=[("a.txt", "text/plain", b"x")],
            )
            remote = RemoteMessage(ref=f"{at}:{i}", raw=raw, is_read=bool(i % 2))
            reads.append(Read(remote, parse(raw)))
        return reads

    def count_queries(self, reads):
        run, ingest = SyncRun(self.mailbox), Ingest(self.mailbox, "INBOX")
        self.cr.flush()  # (with what the mail before has to tell)
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.assertEqual(run._store_reads(ingest, reads), [])
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_300_mails_of_50_contacts_take_as_many_queries_as_30(self):
        few, many = self.read(30, at=1), self.read(300, at=2)
        counts = [self.count_queries(few), self.count_queries(many)]
        self.assertEqual(counts[0], counts[1])
        self.assertLess(counts[1], 40)
        links = self.env["easycrm.email.link"].search_count(
            [("partner_id", "in", self.contacts.ids)]
        )
        self.assertEqual(links, 330 * 4)
        # and as many to find out that all of it is here
        counts = [self.count_queries(few), self.count_queries(many)]
        self.assertEqual(counts[0], counts[1])

    def test_rules_and_switches_take_as_many_queries_for_300_mails(self):
        baseline = self.count_queries(self.read(30, at=3))
        rules = self.env["easycrm.email.rule"]
        for number in range(20):
            rules.create({"pattern": f"@{number}.example", "user_id": self.mira.id})
        pattern = {"pattern": "contact3@many.example", "user_id": self.mira.id}
        rules.create([pattern, {**pattern, "kind": "never_link"}])
        self.mailbox.write({"ignore_automatic": True, "ignore_colleagues": True})
        first, few, many = (self.read(n, at=n) for n in (31, 30, 300))
        self.count_queries(first)  # what is left out is kept track of from then on
        counts = [self.count_queries(few), self.count_queries(many)]
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], baseline + 5)
        left_out = self.env["easycrm.email.exclusion"].search_count([])
        self.assertEqual(
            left_out, self.count_with("contact3@many.example", first + few + many)
        )

    def count_with(self, address, reads):
        return sum(
            any(person.address == address for person in read.message.participants)
            for read in reads
        )

    def test_a_page_of_the_timeline_takes_no_more_queries_than_a_line(self):
        def count_queries():
            company = self.as_user(self.acme, self.jonas)
            company.easycrm_timeline()  # rules and groups are in the cache
            company = self.as_user(self.acme, self.jonas)
            before = self.cr.sql_log_count
            company.easycrm_timeline()
            return self.cr.sql_log_count - before

        one = count_queries()
        self.deliver(self.mailbox, *(raw_mail() for _number in range(40)))
        self.assertLessEqual(count_queries(), one)
