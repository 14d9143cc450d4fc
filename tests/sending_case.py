"""A mailbox that sends as it is told, and an outbox, for tests of sending."""

from datetime import timedelta

from odoo import Command

from ..easycrm_mail.messages import write
from ..easycrm_mail.providers import Doubtful, Found, Gone, RemoteMessage, Sent
from .common import MailCase


class OutgoingFixtures:
    """Mira, whose mailbox can send, and what she writes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mailbox.write({"smtp_host": "smtp.ours.example", "imap_password": "x"})
        cls.lead = cls.add_lead("40 chairs", cls.mira, "anna@acme.example")

    def write_mail(self, user=None, to="anna@acme.example", **vals):
        """Return a draft of that user, Mira if not given."""
        people = [
            {"role": role, "address": address}
            for role in ("to", "cc", "bcc")
            for address in (vals.pop(role, "") if role != "to" else to).split(",")
            if address
        ]
        vals = {
            "account_id": self.mailbox.id,
            "from_address": self.mailbox.email,
            "recipient_ids": [Command.create(person) for person in people],
            "subject": "Offer",
            "body": "<p>Dear Anna, <b>40 chairs</b>.</p>",
            **vals,
        }
        mails = self.env["easycrm.email.outgoing"].with_user(user or self.mira)
        return mails.create(vals)


class FakeProvider:
    """A mailbox that sends, with what it is told to answer.

    :ivar answers: for each call of `send`: an error to raise, or a function of the
        bytes that gives them as they stand in Sent then; nothing: as they are
    :ivar box: {ref: bytes} what stands in Sent
    :ivar handed: the mails that it took
    """

    budget = None

    def __init__(self):
        self.answers, self.box, self.handed = [], {}, []
        self.asked = []
        self.ask_error = None
        self.has_place = True

    def send(self, mail):
        answer = self.answers.pop(0) if self.answers else None
        raw = write(mail.draft, bcc=True)
        if isinstance(answer, Exception):
            if isinstance(answer, Doubtful) and not answer.detail:
                self.put(raw, mail)
            raise answer
        if answer:
            raw = answer(raw)
        ref = self.put(raw, mail)
        message_id = raw.split(b"\r\nMessage-ID: ")[1].split(b"\r\n")[0].decode()
        place = ("Sent", ref) if self.has_place else ("", "")
        return Sent(message_id, "", *place, raw)

    def put(self, raw, mail):
        self.handed.append(mail)
        ref = f"7:{len(self.box) + 1}"
        self.box[ref] = raw
        return ref

    def sent(self, message_id):
        self.asked.append(message_id)
        if self.ask_error:
            raise self.ask_error
        return [
            Found("Sent", ref)
            for ref, raw in self.box.items()
            if message_id.encode() in raw
        ]

    def fetch(self, stream, ref):
        if ref not in self.box:
            raise Gone("mail")
        return RemoteMessage(ref, self.box[ref], is_read=True)

    def close(self):
        pass


class SendingCase(OutgoingFixtures, MailCase):
    """Mira's outbox, and a mailbox that does as it is told."""

    def setUp(self):
        super().setUp()
        self.provider = FakeProvider()
        accounts = type(self.env["easycrm.email.account"])
        self.patch(accounts, "_make_provider", lambda *args: self.provider)
        self.outbox = self.env["easycrm.email.outgoing"]

    def run_outbox(self):
        self.run_as_cron(self.outbox, "_cron_send")

    def queue(self, late=timedelta(seconds=11), **vals):
        """Return a mail of Mira's that is due."""
        mail = self.write_mail(**vals).sudo()
        mail.with_user(self.mira).action_queue()
        mail.scheduled_at -= late
        return mail

    def pass_time(self, mail, **delta):
        """Let time pass for a mail, as its moments are all that knows of time."""
        for name in ("handed_at", "next_try_at", "scheduled_at", "looked_at"):
            if mail[name]:
                mail[name] -= timedelta(**delta)

    def sync_sent(self):
        """Bring what stands in Sent, as a sync does."""
        refs, raws = zip(*self.provider.box.items(), strict=True)
        return self.deliver(self.mailbox, *raws, stream="Sent", refs=refs)
