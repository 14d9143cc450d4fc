"""What the tests are written in: raw mails, mailboxes that hand them over, people.

A mail is bytes, made by `raw_mail`. It gets in the way a sync brings it: parsed, then
stored by `Ingest` as a batch of one stream of one mailbox.
"""

from concurrent.futures import wait
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, TransactionCase
from odoo.tests.common import release_test_lock

from odoo.addons.mail.tests.common import mail_new_test_user

from ..easycrm_mail.messages import extract_part, parse
from ..easycrm_mail.models import send_run, sync_run
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.providers import RemoteMessage

#: The first mail of a test; each next one is a minute younger.
START = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cf500f0003860180b58d6a8c0000000049454e44ae426082"
)

_number = count(1)


def raw_mail(
    sender="anna@acme.example",
    to="mira@ours.example",
    *,
    cc="",
    bcc="",
    subject="Hello",
    text="Good morning.",
    html=None,
    date=None,
    message_id=None,
    in_reply_to="",
    references=(),
    attachments=(),
    headers=(),
):
    """Return a mail as bytes.

    Addresses are as they stand in a header: several are separated by commas.

    :param date: aware; None for a minute after the mail before, "" for no Date at all
    :param message_id: None for a fresh one, "" for none at all
    :param references: Message-IDs, oldest first
    :param attachments: of (name, mimetype, bytes), or with a fourth: the Content-ID of
        an image within the HTML
    """
    number = next(_number)
    mail = EmailMessage()
    if message_id is None:
        message_id = f"<{number}@mail.example>"
    if date is None:
        date = START + timedelta(minutes=number)
    fields_ = {
        "From": sender,
        "To": to,
        "Cc": cc,
        "Bcc": bcc,
        "Subject": subject,
        "Date": format_datetime(date) if date else "",
        "Message-ID": message_id,
        "In-Reply-To": in_reply_to,
        "References": " ".join(references),
    }
    for name, value in [*fields_.items(), *headers]:
        if value:
            mail[name] = value
    if text is not None:
        mail.set_content(text)
    if html is not None and text is not None:
        mail.add_alternative(html, subtype="html")
    elif html is not None:
        mail.set_content(html, subtype="html")
    for name, mimetype, content, *content_id in attachments:
        maintype, _sep, subtype = mimetype.partition("/")
        options = {"cid": f"<{content_id[0]}>"} if content_id else {}
        options["disposition"] = "inline" if content_id else "attachment"
        mail.add_attachment(
            content, maintype=maintype, subtype=subtype, filename=name, **options
        )
    return mail.as_bytes()


class MailFixtures:
    """Two companies, their people, and what is done with mail in a test.

    Mira and Jonas are salesmen who see their own documents only. Of the contacts, Anna
    works for ACME, Bruno for himself.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_a = cls.env.company
        cls.company_b = cls.env["res.company"].create({"name": "Branch B"})
        salesman = "sales_team.group_sale_salesman"
        cls.mira = cls.add_user("mira", salesman, name="Mira Maas")
        cls.jonas = cls.add_user("jonas", salesman, name="Jonas Jung")
        cls.leonie = cls.add_user("leonie", "sales_team.group_sale_salesman_all_leads")
        cls.sofia = cls.add_user("sofia", "sales_team.group_sale_manager")
        cls.ingrid = cls.add_user("ingrid", "base.group_user")
        cls.bea = cls.add_user("bea", salesman, company=cls.company_b)
        cls.admin = cls.env.ref("base.user_admin")
        cls.public = cls.env.ref("base.public_user")

        Partner = cls.env["res.partner"]
        cls.acme = Partner.create({"name": "ACME", "is_company": True})
        cls.anna, cls.bruno = Partner.create(
            [
                {
                    "name": "Anna Berg",
                    "email": "anna@acme.example",
                    "parent_id": cls.acme.id,
                },
                {"name": "Bruno Beck", "email": "bruno@beck.example"},
            ]
        )
        cls.portal = cls.add_user(
            "portal", "base.group_portal", name="Anna Berg", partner_id=cls.anna.id
        )
        cls.mailbox = cls.connect(cls.mira)
        cls.jonas_mailbox = cls.connect(cls.jonas)
        cls.cr.flush()

    # --- people and mailboxes ---

    @classmethod
    def add_user(cls, login, group, company=None, **values):
        """Add somebody with the login "<login>.user" and the address <login>@ours."""
        values.setdefault("name", login.capitalize())
        if "partner_id" not in values:
            values["email"] = f"{login}@ours.example"
        else:
            values["email"] = cls.env["res.partner"].browse(values["partner_id"]).email
        return mail_new_test_user(
            cls.env,
            login=f"{login}.user",
            groups=group,
            company_id=(company or cls.company_a).id,
            **values,
        )

    @classmethod
    def connect(cls, user, email=None, **values):
        """Connect a mailbox that has been read to its end once."""
        account = cls.env["easycrm.email.account"].create(
            {
                "email": email or user.email,
                "user_id": user.id,
                "company_id": user.company_id.id,
                "imap_host": "imap.ours.example",
                "imap_password": "secret",
                "sync_status": "ok",
                "last_sync": fields.Datetime.now(),
                "folder_ids": [
                    Command.create(
                        {
                            "stream": name,
                            "name": name,
                            "role": role,
                            "selected": True,
                            "settled": True,
                        }
                    )
                    for name, role in (("INBOX", "inbox"), ("Sent", "sent"))
                ],
                **values,
            }
        )
        cls.env.flush_all()
        return account

    @classmethod
    def add_lead(cls, name, user, email=False, **values):
        """Add an opportunity of that user."""
        lead = cls.env["crm.lead"].create(
            {
                "name": name,
                "user_id": user.id,
                "type": "opportunity",
                "company_id": False,
                **({"email_from": email} if email else {}),
                **values,
            }
        )
        cls.cr.flush()
        return lead

    # --- mail gets in ---

    @classmethod
    def deliver(cls, mailbox, *raws, stream="INBOX", refs=None, is_read=True):
        """Bring these mails as one batch of a stream.

        :param refs: of the mails in the stream; fresh ones if not given
        :return: their emails, in the same order, as superuser
        """
        refs = refs or [f"1:{next(_number)}" for _raw in raws]
        reads = [
            Read(RemoteMessage(ref=ref, raw=raw, is_read=is_read), parse(raw))
            for ref, raw in zip(refs, raws, strict=True)
        ]
        cls.cr.flush()
        Ingest(mailbox.sudo(), stream).store(reads)
        found = cls.env["easycrm.email"].sudo()
        for read in reads:
            found += found.search(
                [
                    ("company_id", "=", mailbox.company_id.id),
                    ("message_id", "=", read.message.message_id[:500]),
                    ("digest", "=", read.message.digest),
                ]
            )
        return found

    @classmethod
    def keep_files(cls, lines, raw):
        """Store the bytes of these attachments, out of their raw mail."""
        lines._keep({line.part: extract_part(raw, line.part) for line in lines})

    @classmethod
    def receive(cls, mailbox, **parts):
        """Bring one received mail, made of `raw_mail`'s parameters."""
        parts.setdefault("to", mailbox.email)
        return cls.deliver(mailbox, raw_mail(**parts))

    @classmethod
    def send(cls, mailbox, to="anna@acme.example", **parts):
        """Bring one mail that the mailbox's owner sent."""
        raw = raw_mail(sender=mailbox.email, to=to, **parts)
        return cls.deliver(mailbox, raw, stream="Sent")

    @classmethod
    def copy_in(cls, mailbox, email):
        """Return the copy of an email that a mailbox holds."""
        return email.copy_ids.filtered(lambda copy: copy.account_id == mailbox)

    @classmethod
    def make_private(cls, email):
        email.thread_id.sudo().privacy = "private"
        cls.env.flush_all()

    @classmethod
    def set_aside(cls, mailbox):
        """Set a mail of the inbox aside that could not be read."""
        return cls.env["easycrm.email.failure"].create(
            {
                "account_id": mailbox.id,
                "stream": "INBOX",
                "provider_ref": "1:7",
                "error": "It is broken.",
            }
        )

    def follow_addresses(self):
        """Have the changes of Email fields followed, as the end of a request does."""
        self.cr.flush()

    # --- what happens by itself ---

    def run_cron(self, name="_cron_sync"):
        """Run a method of the mailbox's cron as the cron does, with commits of its own.

        While it waits for the network, the threads of its pool may use the test's
        cursor, to renew a grant.
        """
        self.run_as_cron(self.account, name)

    def run_as_cron(self, records, name):
        """Run a method of any model in that way."""
        self.env.flush_all()

        def wait_released(*args):
            # (the framework holds it, and so does the cron's cursor)
            with release_test_lock(), release_test_lock():
                return wait(*args)

        with (
            patch.object(sync_run, "wait", wait_released),
            patch.object(send_run, "wait", wait_released),
            nullcontext()
            if isinstance(self, HttpCase)
            else self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            getattr(records.with_env(self.env(cr=cr)).sudo(), name)()
        self.env.invalidate_all()

    # --- what is asserted ---

    def as_user(self, records, user):
        """Return the records for that user, with nothing of others in the cache."""
        self.env.flush_all()
        self.env.invalidate_all()
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    def read_timeline(self, record, user=None):
        """Return the emails of the whole timeline, page after page."""
        record = self.as_user(record, user or self.mira)
        emails, before = [], False
        while True:
            page = record.easycrm_timeline(before)
            for conversation in page["conversations"]:
                emails += conversation["emails"]
            before = page["next"]
            if not before:
                return emails

    def assertTimeline(self, record, subjects, user=None):
        """Assert what stands on a record's timeline, from top to bottom."""
        seen = [email["subject"] for email in self.read_timeline(record, user)]
        self.assertEqual(seen, subjects)

    def assertLinked(self, email, records):
        """Assert the records that an email is on, tombstones left out."""
        self.env.flush_all()
        links = email.link_ids.filtered(lambda link: not link.removed)
        found = {link.partner_id or link.lead_id for link in links}
        self.assertEqual(found, set(records))
        self.assertEqual(email.is_linked, bool(links))
        for copy in email.copy_ids:
            self.assertEqual(copy.is_unlinked, not links)

    def assertVisible(self, user, email, level):
        """Assert how much of an email somebody gets: None for nothing at all."""
        mail = self.as_user(email, user)
        found = mail.search([("id", "=", email.id)])
        self.assertEqual(len(found), 0 if level is None else 1)
        self.assertEqual(mail.search_count([("id", "=", email.id)]), len(found))
        if level is None:
            with self.assertRaises(AccessError):
                mail.read(["subject"])
            return
        [values] = mail.read(["subject", "snippet", "body_html"])
        got = "metadata"
        if values["subject"]:
            got = "subject"
        if values["snippet"] or values["body_html"]:
            got = "everything"
        self.assertEqual(got, level)


class MailCase(MailFixtures, TransactionCase):
    """A test with people and mailboxes."""


class MailHttpCase(MailFixtures, HttpCase):
    """The same, with a server to ask."""
