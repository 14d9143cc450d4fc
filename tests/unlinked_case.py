from .common import MailCase


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
