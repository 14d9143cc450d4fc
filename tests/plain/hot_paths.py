"""Runs inside Odoo: does with a million mails what people and mailboxes do all day,
and writes down which plans that took.

    PLANS_OUT=<file> PLANS_MAILBOX=<JSON: port, login, password> odoo shell ...

The name of a function of `Paths` is the name of the path.
"""

import json
import os
import sys
from functools import partial
from pathlib import Path
from unittest.mock import patch

HERE = Path(os.environ["PLANS_HERE"])
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "bench")]

import hot_campaigns
import hot_unlinked
import many_campaigns
from lib.million import TABLES, Million
from plans import Recorder

from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import (
    Ingest,
    Read,
)
from odoo.addons.easycrm_mail.easycrm_mail.models.sync_run import (
    SyncRun,
)
from odoo.addons.easycrm_mail.easycrm_mail.providers import (
    ReadChange,
    RemoteMessage,
    SetAside,
)

MAILS = int(os.environ.get("PLANS_MAILS", "1000000"))
LARGE = [
    *(*TABLES, "res_partner", "crm_lead", "easycrm_email_address"),
    "easycrm_email_tally",
    *many_campaigns.TABLES,
]
#: Indexes that are taken away to see whether that is noticed.
INDEXES = {
    "timeline_of_a_busy_contact": "easycrm_email_link_commercial_timeline_idx",
    "mails_a_day_of_all_mailboxes": "easycrm_email_copy_date_idx",
    "new_contact": "easycrm_email_participant_address_prefix_idx",
    **hot_unlinked.INDEXES,
    **hot_campaigns.INDEXES,
}

MAIL = """\
From: contact{n}@customer{n}.example
To: seller0@own.example
Cc: lead{n}@customer{n}.example, contact{m}@customer{m}.example
Subject: Plan {n}
Date: Tue, 4 Mar 2025 10:00:00 +0000
Message-ID: <{n}@plans.example>
References: <{n}@million.example>

Good morning.
"""


class Paths(hot_unlinked.UnlinkedPaths, hot_campaigns.CampaignPaths):
    """Each path is done once to warm up, and once recorded."""

    def __init__(self, env, million, campaigns):
        self.env = env
        self.million = million
        self.campaigns = campaigns
        self.account = million.accounts[0]

    def mine(self, records, number=0):
        """The records as a salesman sees them who opens them anew."""
        self.env.flush_all()
        self.env.invalidate_all()
        user = self.million.salesmen[number]
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    # --- reading ---

    def timeline_of_a_busy_contact(self):
        page = self.mine(self.million.busy).easycrm_timeline()
        assert page["count_capped"] and len(page["conversations"]) > 20

    def timeline_of_a_huge_contact(self):
        page = self.mine(self.million.huge).easycrm_timeline()
        assert page["count_capped"] and len(page["conversations"]) > 20

    def timeline_of_a_contact_with_ten_mails(self):
        assert self.mine(self.million.small).easycrm_timeline()["count"] == 10

    def timeline_of_a_company(self):
        company = self.env["res.partner"].search([("name", "=", "Customer 4")])
        assert self.mine(company).easycrm_timeline()["count"]

    def timeline_of_an_opportunity(self):
        lead = self.env["crm.lead"].search([("name", "=", "Opportunity 8")])
        assert self.mine(lead).easycrm_timeline()["count"]

    def next_page(self):
        self.mine(self.million.busy).easycrm_timeline("2025-06-01 00:00:00/200000")

    def search_of_rare_words(self):
        page = self._search({"search": "order 999900"})
        assert len(page["conversations"]) == 1

    def search_of_common_words(self):
        assert self._search({"search": "w1"})["conversations"]

    def filtered_timeline(self):
        filters = {"direction": "inbound", "attachments": True}
        assert self._search(filters)["conversations"]

    def _search(self, filters):
        return self.mine(self.million.busy).easycrm_timeline(filters=filters)

    def conversation(self):
        self.env.cr.execute(
            "SELECT max(thread_id) FROM easycrm_email_link WHERE partner_id = %s",
            [self.million.huge.id],
        )
        (thread_id,) = self.env.cr.fetchone()
        page = self.mine(self.million.huge).easycrm_timeline(thread_id=thread_id)
        assert page["conversations"]

    def conversation_made_private_and_shared(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        thread = copies.search([], limit=1).email_id.thread_id
        assert thread.action_make_private() == "private"
        assert thread.action_share() == "shared"

    def timeline_beside_many_private_conversations(self):
        self.env.cr.execute(
            "UPDATE easycrm_email_thread SET privacy = 'private'"
            " WHERE id = ANY(ARRAY(SELECT generate_series(500, 1000000, 500)))"
        )
        page = self.mine(self.million.busy).easycrm_timeline()
        assert page["count_capped"]

    def counts_of_a_list_of_contacts(self):
        contacts = self.mine(self.env["res.partner"]).search(
            [("name", "like", "Contact 1")], limit=80
        )
        assert sum(contacts.mapped("easycrm_email_count"))

    def one_email(self):
        link = self.env["easycrm.email.link"].search(
            [("partner_id", "=", self.million.busy.id)], limit=1
        )
        email = self.mine(link.email_id)
        email.read(["subject", "snippet", "body_html"])
        email.easycrm_values()
        assert email.easycrm_why("res.partner", self.million.busy.id)

    def list_of_emails(self):
        emails = self.mine(self.env["easycrm.email"]).search([], limit=80)
        assert any(emails.mapped("subject"))

    # --- storing ---

    def reads(self, start):
        raws = [MAIL.format(n=n, m=n + 1).encode() for n in range(start, start + 50)]
        return [
            Read(RemoteMessage(f"9:{start + n}", raw, True), parse(raw))
            for n, raw in enumerate(raws)
        ]

    def batch_of_new_mail(self):
        ingest = Ingest(self.account, "INBOX")
        assert len(ingest.store(self.reads(5000))) == 50

    def batch_that_is_here(self):
        ingest = Ingest(self.account, "INBOX")
        ingest.store(self.reads(6000))
        assert ingest.store(self.reads(6000)) == []

    def batch_that_joins_conversations(self):
        raw = MAIL.format(n=7000, m=7).replace("Good", "Bad")
        raw = raw.replace(
            "\nReferences:", "\nIn-Reply-To: <7100@million.example>\nReferences:"
        )
        remote = RemoteMessage("9:7000", raw.encode(), True)
        ingest = Ingest(self.account, "INBOX")
        assert ingest.store([Read(remote, parse(remote.raw))])

    def marks_and_removals(self):
        self.env.cr.execute(
            "SELECT provider_ref FROM easycrm_email_location"
            " WHERE account_id = %s AND stream = 'INBOX'"
            " ORDER BY provider_ref LIMIT 50",
            [self.account.id],
        )
        refs = [row[0] for row in self.env.cr.fetchall()]
        ingest = Ingest(self.account, "INBOX")
        ingest.change([ReadChange(ref, False) for ref in refs])
        ingest.remove(refs)
        ingest.settle(refs)

    def mails_set_aside(self):
        ingest = Ingest(self.account, "INBOX")
        ingest.set_aside([SetAside(f"9:{n}", "too large") for n in range(50)])

    # --- addresses ---

    def new_contact(self):
        contact = self.env["res.partner"].create(
            {"name": "New", "email": self.million.newcomers[0]}
        )
        self.env.cr.flush()
        assert len(contact.easycrm_email_link_ids) == 500

    def new_opportunity(self):
        lead = self.env["crm.lead"].create(
            {"name": "New", "email_from": self.million.newcomers[1]}
        )
        self.env.cr.flush()
        assert len(lead.easycrm_email_link_ids) == 500

    def changed_address(self):
        contact = self.env["res.partner"].search([("name", "=", "Contact 90000")])
        contact.email = self.million.newcomers[2]
        self.env.cr.flush()
        assert len(contact.easycrm_email_link_ids) == 500

    def contact_that_comes_back(self):
        contact = self.env["res.partner"].search([("name", "=", "Contact 88")])
        contact.active = False
        self.env.cr.flush()
        contact.active = True
        self.env.cr.flush()

    def deleted_contact(self):
        self.env["res.partner"].search([("name", "=", "Contact 96")]).unlink()
        self.env.cr.flush()

    def addresses_looked_at_again(self):
        addresses = self.env["easycrm.email.address"]
        numbers = range(20_000, 20_800, 4)
        wanted = [f"contact{n}@customer{n % 5000}.example" for n in numbers]
        due = addresses.search([("address", "in", wanted)])
        due.look_again_at = "2025-01-01 00:00:00"
        self.env.flush_all()
        addresses._match_due()

    # --- mailboxes ---

    def mailboxes_that_are_due(self):
        accounts = self.env["easycrm.email.account"]
        accounts._get_due(first=True)
        assert accounts._get_due(first=False)

    def mails_a_day_of_all_mailboxes(self):
        newest = self.env["easycrm.email"].search([], limit=1).date
        accounts = self.env["easycrm.email.account"].search([])
        counts = accounts._count_mails(newest.date())
        assert any(counts.values())

    def comparison_of_a_folder(self):
        self.env.cr.execute(
            "SELECT provider_ref FROM easycrm_email_location"
            " WHERE account_id = %s AND stream = 'INBOX'"
            " ORDER BY provider_ref LIMIT 2000",
            [self.account.id],
        )
        refs = [row[0] for row in self.env.cr.fetchall()]
        ingest = Ingest(self.account, "INBOX")
        day = self.account.sync_from
        missing, _left_out = ingest.find_missing([*refs, "9:1", "9:2"])
        assert missing == {"9:1", "9:2"}
        ingest.keep_gaps(dict.fromkeys(missing, day), day)
        self.account._settle_gaps()

    def attachments_that_are_due(self):
        emails = self.env["easycrm.email"]
        emails.search([], limit=50).fetch_at = "2025-01-01 00:00:00"
        assert emails._get_due_files(1)

    def unlinked_mail_that_is_too_old(self):
        emails = self.env["easycrm.email"]
        with patch.object(type(emails), "_get_retention_days", lambda self: 30):
            assert emails._gc_unlinked()[0] > 100

    def conversations_to_hand_over(self):
        self.account.user_id.active = False
        self.env.flush_all()
        self.account._get_open_conversations()


def drop_and_go(paths, name, index):
    """Go a path without the index that it needs; the rollback brings it back."""
    paths.env.cr.execute(f"DROP INDEX {index}")
    getattr(paths, name)()


def record_all(paths, recorder, only=""):
    """Return what each path took; every one is rolled back."""
    env = paths.env
    helpers = ("mine", "reads")
    known = dict.fromkeys(name for cls in Paths.__mro__ for name in vars(cls))
    names = [n for n in known if n[0] != "_" and n not in helpers]
    return {
        name: record(env, recorder, getattr(paths, name))
        for name in names
        if only in name
    }


def record(env, recorder, path):
    """Go the path twice: what is looked up once in a process is not recorded."""
    for _time in range(2):
        found = {}
        env.invalidate_all()
        with recorder.record(found):
            path()
            env.flush_all()
        env.cr.rollback()
        env.transaction.reset()
    return found


def record_sync(env, million, recorder, mailbox):
    """Return what it took to read a real mailbox again whose mail is mostly here."""
    account = million.accounts[0]
    account.write(
        {
            "imap_port": mailbox["port"],
            "imap_security": "none",
            "imap_login": mailbox["login"],
            "imap_password": mailbox["password"],
        }
    )
    env.cr.commit()
    for _try in range(8):  # (on a busy machine it may be late)
        found = {}
        with recorder.record(found):
            SyncRun(account).run(env["easycrm.email.address"]._match_due)
        if account.last_error_kind != "retry":
            break
    assert account.last_error is False, account.last_error
    env.cr.execute(
        "SELECT count(*) FROM easycrm_email WHERE message_id LIKE '%@plans.example>'"
    )
    assert env.cr.fetchone()[0] == mailbox["mails"]
    return found


def main(env):
    million = Million(env)
    million.make_mails(MAILS)
    paths = Paths(env, million, many_campaigns.Campaigns(env, million))
    recorder = Recorder(env.cr, LARGE)
    counts = {}
    for table in ("easycrm_email", "easycrm_email_link", "easycrm_esp_event"):
        env.cr.execute(f"SELECT count(*) FROM {table}")
        counts[table] = env.cr.fetchone()[0]
    taken = record_all(paths, recorder)

    broken = {
        name: record(env, recorder, partial(drop_and_go, paths, name, index))
        for name, index in INDEXES.items()
    }
    mailbox = json.loads(os.environ["PLANS_MAILBOX"])
    taken["sync_of_a_mailbox"] = record_sync(env, million, recorder, mailbox)
    result = {"counts": counts, "paths": taken, "without_index": broken}
    Path(os.environ["PLANS_OUT"]).write_text(json.dumps(result))


main(env)  # noqa: F821 (what an Odoo shell gives)
