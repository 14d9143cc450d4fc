"""Mailboxes that one signs in to, on loopback servers of Google and Microsoft.

Both adapters have the same methods, so that one test serves for both services.
"""

import os
from datetime import datetime, timezone
from email import message_from_bytes
from unittest.mock import patch

from .common import raw_mail
from .servers import google_oauth, microsoft_oauth
from .servers.gmail import GmailServer
from .servers.graph import GraphServer

SECRETS = {"client_id": "our-client", "client_secret": "our client's secret"}


class OutlookService:
    """Microsoft's sign-in and Graph, with the mailboxes that a test asks for."""

    provider, route = "outlook", "/easycrm_mail/oauth/microsoft"
    button = "Sign in with Microsoft"
    streams = ("Inbox", "Sent Items")
    aliases_pattern = r"GET /v1\.0/me\?.*proxyAddresses"

    def __init__(self):
        self.server = GraphServer()
        self.environment = {
            "EASYCRM_GRAPH_API_URL": self.server.url,
            "EASYCRM_MICROSOFT_LOGIN_URL": self.server.url,
        }
        self.parameters = {
            f"easycrm_mail.microsoft_{name}": value for name, value in SECRETS.items()
        }

    def register(self, redirect_uri):
        self.server.login.register(*SECRETS.values(), redirect_uri)

    def add_mailbox(self, address, aliases=()):
        self.server.add_mailbox(address, list(aliases))

    def consent(self, url, email, accept=True):
        """Do what a browser does on the consent page.

        :return: the parameters that it brings back
        """
        choice = "accept" if accept else "cancel"
        return microsoft_oauth.walk_consent(url, email, choice)

    def press(self, accept):
        """Have the consent page press a button by itself."""
        self.server.login.presses = "accept" if accept else "cancel"

    def deliver(self, address, raw, sent=False, received=None):
        """A mail comes, or is sent; return its id."""
        return self.server.mailboxes[address].deliver(
            raw, "sentitems" if sent else "inbox", received, read=sent
        )

    def move(self, address, ref):
        """Into the archive, or whatever is most like it."""
        self.server.mailboxes[address].move(ref, "archive")

    def delete(self, address, ref):
        self.server.mailboxes[address].delete(ref)

    def mark_read(self, address, ref):
        self.server.mailboxes[address].mark_read(ref)

    def held(self, address):
        """Return {ref: (raw, is read)} of what a sync reads."""
        box = self.server.mailboxes[address]
        read = {box.folder("inbox"), box.folder("sentitems")}
        return {
            key: (one.raw, one.is_read)
            for key, one in box.messages.items()
            if one.folder in read
        }

    def add_folder(self, address, name):
        """A folder of the user's own; return its stream."""
        return self.server.mailboxes[address].add_folder(name)

    def file(self, address, ref, stream):
        """Into a folder of the user's own."""
        self.server.mailboxes[address].move(ref, stream)

    def hide_folder(self, address, stream):
        """Take a folder away with its mails; return what `show_folder` needs."""
        box = self.server.mailboxes[address]
        kept = box.folders[stream], {one.key: one for one in box.in_folder(stream)}
        box.remove_folder(stream)
        return kept

    def show_folder(self, address, kept):
        box = self.server.mailboxes[address]
        box.folders[kept[0].id] = kept[0]
        box.messages.update(kept[1])

    def replace(self, address, ref, raw):
        """As if a mail had always been another one."""
        self.server.mailboxes[address].messages[ref].raw = raw

    def in_folder(self, address, stream):
        """Return [(raw, is read)] of a stream."""
        box = self.server.mailboxes[address]
        return [(one.raw, one.is_read) for one in box.in_folder(stream)]

    def contents(self, address):
        return self.server.mailboxes[address].contents()

    def revoke(self):
        """The user has taken the permission back."""
        self.server.login.revoke()

    def expire_tokens(self):
        self.server.login.expire_tokens()

    def expire_checkpoint(self, address):
        self.server.expire_delta(address)


class GmailService:
    """Google's sign-in and Gmail, with the mailboxes that a test asks for."""

    provider, route = "gmail", "/easycrm_mail/oauth/google"
    button = "Sign in with Google"
    streams = ("All mail",)
    aliases_pattern = r"GET .*/settings/sendAs"

    def __init__(self):
        self.server = GmailServer()
        self.environment = {
            "EASYCRM_GMAIL_API_URL": self.server.url,
            "EASYCRM_GOOGLE_OAUTH_URL": self.server.url,
        }
        self.parameters = {
            f"easycrm_mail.google_{name}": value for name, value in SECRETS.items()
        }
        self.server.oauth.client_id = SECRETS["client_id"]
        self.server.oauth.client_secret = SECRETS["client_secret"]

    def register(self, redirect_uri):
        self.server.oauth.redirect_uris = [redirect_uri]

    def add_mailbox(self, address, aliases=()):
        mailbox = self.server.add_mailbox(address)
        mailbox.send_as += [
            {"sendAsEmail": alias, "verificationStatus": "accepted"}
            for alias in aliases
        ]

    def consent(self, url, email, accept=True):
        return google_oauth.walk_consent(url, deny=not accept, email=email)

    def press(self, accept):
        self.server.oauth.presses = "allow" if accept else "deny"

    def deliver(self, address, raw, sent=False, received=None):
        labels = ["SENT"] if sent else ["INBOX", "UNREAD"]
        at = received.timestamp() if received else None
        return self.server.mailboxes[address].deliver(raw, labels, at)

    def move(self, address, ref):
        self.server.mailboxes[address].archive(ref)

    def delete(self, address, ref):
        self.server.mailboxes[address].delete(ref)

    def mark_read(self, address, ref):
        self.server.mailboxes[address].mark_read(ref)

    def held(self, address):
        return {
            ref: (mail.raw, "UNREAD" not in mail.labels)
            for ref, mail in self.server.mailboxes[address].mails.items()
            if not mail.labels & {"TRASH", "SPAM", "DRAFT", "CHAT"}
        }

    def add_folder(self, address, name):
        return self.server.mailboxes[address].label(name)

    def file(self, address, ref, stream):
        self.server.mailboxes[address].add_labels(ref, stream)

    def hide_folder(self, address, stream):
        box = self.server.mailboxes[address]
        name = box.labels[stream]
        refs = [ref for ref, mail in box.mails.items() if stream in mail.labels]
        box.delete_label(stream)
        return stream, name, refs

    def show_folder(self, address, kept):
        box = self.server.mailboxes[address]
        stream, name, refs = kept
        box.labels[stream] = name
        for ref in refs:
            box.mails[ref].labels.add(stream)

    def replace(self, address, ref, raw):
        self.server.mailboxes[address].mails[ref].raw = raw

    def in_folder(self, address, stream):
        return [
            (raw, is_read)
            for ref, (raw, is_read) in self.held(address).items()
            if stream in ("all", *self.server.mailboxes[address].mails[ref].labels)
        ]

    def contents(self, address):
        return self.server.mailboxes[address].snapshot()

    def revoke(self):
        for address in self.server.mailboxes:
            self.server.oauth.revoke(address)

    def expire_tokens(self):
        self.server.oauth.expire_tokens()

    def expire_checkpoint(self, address):
        self.server.mailboxes[address].expire_history()


class ApiMailbox:
    """A test with one of the services; `service_class` says which.

    Mira has an account there that nobody has signed in to yet.
    """

    service_class = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.service_class()
        cls.service.server.__enter__()
        cls.addClassCleanup(cls.service.server.__exit__)
        cls.startClassPatcher(patch.dict(os.environ, cls.service.environment))
        params = cls.env["ir.config_parameter"]
        for name, value in cls.service.parameters.items():
            if name.endswith("secret"):
                value = cls.env["easycrm.email.account"]._encrypt(value)
            params.set_param(name, value)
        cls.service.register(
            cls.env["easycrm.email.account"]._get_redirect_uri(cls.service.provider)
        )

    def setUp(self):
        super().setUp()
        (self.mailbox | self.jonas_mailbox).sync_status = "paused"
        self.service.server.mend()
        self.address = f"{self._testMethodName[-40:].strip('_')}@chairs.example"
        self.service.add_mailbox(self.address, [f"alias.{self.address}"])
        self.service.add_mailbox(f"other.{self.address}")
        self.account = self.env["easycrm.email.account"].create(
            {
                "email": self.address,
                "user_id": self.mira.id,
                "provider": self.service.provider,
            }
        )

    # --- signing in ---

    def begin(self, account=None, user=None):
        """Press the button; return the address of the consent page."""
        account = self.as_user(account or self.account, user or self.mira)
        return account.action_sign_in()["url"]

    def get_answer(self, url, email=None, accept=True):
        """Consent; return the parameters that the browser brings back."""
        return self.service.consent(url, email or self.address, accept)

    def finish(self, answer, user=None):
        """Bring the answer back, as the controller does."""
        Account = self.as_user(self.account, user or self.mira).browse()
        return Account._finish_sign_in(self.service.provider, answer)

    def sign_in(self, email=None):
        """All of it; return what went wrong."""
        return self.finish(self.get_answer(self.begin(), email))[1]

    def get_grant(self):
        return self.env["easycrm.email.grant"].search(
            [("account_id", "=", self.account.id)]
        )

    # --- mail ---

    def deliver(self, *subjects, sent=False, **values):
        """Mails between Mira and Anna; return their ids in the mailbox."""
        values.setdefault("date", datetime.now(timezone.utc))
        people = {"sender": self.address, "to": "anna@acme.example"}
        if not sent:
            people = {"to": self.address}
        return [
            self.service.deliver(
                self.address, raw_mail(subject=subject, **people, **values), sent
            )
            for subject in subjects
        ]

    def run_crons(self, times=1):
        for _time in range(times):
            self.run_cron("_cron_backfill")
            self.run_cron("_cron_sync")

    def get_id(self, ref):
        """Return the Message-ID of a mail in the mailbox."""
        raw, _is_read = self.service.held(self.address)[ref]
        return message_from_bytes(raw)["Message-ID"]

    def choose_folder(self, name):
        """Have a folder of the user's own read too; return its stream."""
        stream = self.service.add_folder(self.address, name)
        self.account.folder_ids.create(
            {
                "account_id": self.account.id,
                "stream": stream,
                "name": name,
                "role": "other",
                "selected": True,
            }
        )
        return stream

    # --- what is asserted ---

    def assertMailboxIsHereOnce(self, gone=()):
        """Compare the mailbox and the database mail by mail.

        :param gone: Message-IDs of mails that were here and are in the mailbox no more
        """
        everything = set()
        for folder in self.account.folder_ids.filtered("selected"):
            held = [
                (message_from_bytes(raw)["Message-ID"], is_read)
                for raw, is_read in self.service.in_folder(self.address, folder.stream)
            ]
            places = self.env["easycrm.email.location"].search(
                [
                    ("account_id", "=", self.account.id),
                    ("stream", "=", folder.stream),
                ]
            )
            copies = places.copy_id
            self.assertEqual(len(copies), len(places), "once each in a folder")
            self.assertEqual(
                sorted((c.email_id.message_id, c.is_read) for c in copies),
                sorted(held),
                folder.name,
            )
            everything |= {message_id for message_id, _is_read in held}
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertEqual(
            sorted(copies.email_id.mapped("message_id")),
            sorted(everything.union(gone)),
        )
        self.assertEqual(len(copies), len(everything.union(gone)))
        removed = copies.filtered("removed_at").email_id
        self.assertEqual(set(removed.mapped("message_id")), set(gone))
        for email in copies.email_id:
            self.assertEqual(len(email.link_ids), 1)
            self.assertTrue(email.sudo().subject)
