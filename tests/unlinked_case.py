from collections import defaultdict
from unittest.mock import patch

from ..easycrm_mail.models.easycrm_email_batch_rest import EasycrmEmailBatch
from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.models.ingest_exclusions import Policy
from .common import MailCase, raw_mail

#: Emails that a click, or a slice of the cron, changes in tests of `RestCase`.
SLICE = 3


class UnlinkedCase(MailCase):
    """A test with mail of strangers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Copy = cls.env["easycrm.email.copy"]

    def inbox(self, user=None):
        return self.as_user(self.Copy, user or self.mira)

    def ids(self, *emails, mailbox=None):
        return [self.copy_in(mailbox or self.mailbox, email).id for email in emails]

    def stranger(self, number=1, mailbox=None, **parts):
        parts.setdefault("sender", f"Tobias Wendt <tobias{number}@union.example>")
        return self.receive(mailbox or self.mailbox, **parts)

    def unseen(self):
        """Have mail stored in a transaction that has begun before, and sees no rule."""
        policy = Policy(defaultdict(dict), False, False, False)
        return patch.object(Ingest, "_read_policy", return_value=policy)

    def assertGroups(self, by, expected, user=None, tz="Europe/Berlin", **options):
        """Assert which groups there are, and that each has the mails that it counts.

        :param list expected: of (key, label, count), that of the newest mail first
        """
        inbox = self.inbox(user).with_context(tz=tz)
        found = inbox.unlinked_groups(options.pop("domain", []), by=by, **options)
        self.assertEqual(
            [(g["key"], g["label"], g["count"]) for g in found["groups"]], expected
        )
        self.assertEqual(found["total"], len(expected))
        self.assertEqual(found["mails"], sum(count for *_, count in expected))
        for group in found["groups"]:
            chosen = {**options, "by": by, "key": group["key"]}
            rows = inbox.unlinked_page([], **chosen)["rows"]
            self.assertEqual(len(rows), group["count"])
            self.assertEqual(rows[0]["date"], group["latest"])
            self.assertEqual(rows[0]["subject"], group["subject"])
            self.assertEqual(rows[0]["from_address"], group["address"])
            ids = inbox.unlinked_ids([], **chosen)
            self.assertEqual(ids["ids"], [row["id"] for row in rows])
            one = inbox.unlinked_groups([], by=by, keys=[group["key"]], **options)
            self.assertEqual((one["groups"], one["total"]), ([group], 1))
            self.assertEqual(one["mails"], group["count"])


class RestCase(UnlinkedCase):
    """A step with more emails than a click can wait for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Batch = cls.env["easycrm.email.batch"]
        cls.startClassPatcher(patch.object(EasycrmEmailBatch, "_slice", SLICE))
        cls.union = cls.env["res.partner"].create({"name": "Union", "is_company": True})
        cls.raws = [
            raw_mail(f"tobias{number}@union.example", cls.mailbox.email)
            for number in range(8)
        ]
        cls.emails = cls.deliver(cls.mailbox, *cls.raws)
        cls.kept = cls.receive(cls.mailbox, sender="other@elsewhere.example")

    def get_step(self, done):
        return self.Batch.browse(done["batch"])

    def ignore_domain(self):
        return self.inbox().ignore(self.ids(self.emails[0]), "domain")

    def teach(self, scope):
        done = self.inbox().link_to(
            self.ids(self.emails[0]), "res.partner", self.union.id
        )
        return self.inbox().teach(done["batch"], scope)

    def go_on(self, slices=100):
        """Let the cron do so many slices; return how many there were to do."""
        for number in range(slices):
            self.env.flush_all()
            self.env.invalidate_all()
            if not self.Batch._look_again_due():
                return number
        return slices

    def look_again(self):
        """Let the minute pass after which what was taught is followed once more."""
        self.Batch.search([("again_at", "!=", False)]).again_at = "2025-01-01"
        self.go_on()

    def receive_unseen(self, count, mailbox=None):
        with self.unseen():
            for number in range(count):
                self.stranger(100 + number, mailbox=mailbox)

    def assertWaiting(self, count):
        """Assert what the badge, the list and the groups say, all the same."""
        self.assertEqual(self.inbox().unlinked_count(), count)
        self.assertEqual(len(self.inbox().unlinked_page([])["rows"]), count)
        self.assertEqual(self.inbox().unlinked_groups([])["mails"], count)

    def undo_while_busy(self, done):
        """Undo while a slice is at it, which only another transaction could be."""
        Batch = self.registry["easycrm.email.batch"]
        with patch.object(Batch, "_lock", lambda step: step.browse()):
            undone = self.inbox().undo(done["batch"])
        self.assertIn("Undoing", undone["message"])


class TeachingCase(UnlinkedCase):
    """A company and somebody there, to link mail of strangers to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.union = cls.env["res.partner"].create({"name": "Union", "is_company": True})
        cls.lena = cls.env["res.partner"].create(
            {"name": "Lena Hartmann", "parent_id": cls.union.id}
        )
        cls.cr.flush()

    def link(self, *emails, record=None):
        record = record or self.lena
        done = self.inbox().link_to(self.ids(*emails), record._name, record.id)
        options = {option["scope"]: option for option in done["question"]["options"]}
        return done, options
