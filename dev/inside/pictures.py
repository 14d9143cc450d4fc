"""Runs inside Odoo, in a clone of the demo: connects the office's other mailboxes and
brings them into the states that the pictures show.

What the pictures say of mails is counted by the app itself. Only moments are set (a
night has not passed yet), and the server's name, which is the loopback here.
"""

import json
import sys
from collections import Counter
from datetime import datetime, time, timedelta
from pathlib import Path

import pytz

from odoo import fields

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from servers import google_oauth, microsoft_oauth

env = env  # noqa: F821, PLW0127 - given by Odoo's shell

wanted = json.loads(sys.argv[1])
ZONE = pytz.timezone(wanted["zone"])
Account = env["easycrm.email.account"]
admin, mira, jonas = (
    env.ref(name)
    for name in (
        "base.user_admin",
        "easycrm_mail.demo_user_mira",
        "easycrm_mail.demo_user_jonas",
    )
)
marc = env.ref("base.user_demo")


def local(moment: datetime) -> datetime:
    """As the database keeps a moment of the office's clock."""
    return ZONE.localize(moment).astimezone(pytz.utc).replace(tzinfo=None)


now = datetime.now(ZONE).replace(tzinfo=None)
tonight = local(datetime.combine(now.date(), time(3, 10)))


def connect(user, name, **values):
    if values.setdefault("provider", "imap") == "imap":
        values |= {key: wanted[key] for key in wanted if key.startswith("imap_")}
        values["imap_security"] = "none"
    values |= {"email": f"{name}@tallwood.example", "user_id": user.id}
    return Account.create(values)


def sign_in(account):
    """As its owner does in the browser."""
    mine = account.with_user(account.user_id)
    url = mine.action_sign_in()["url"]
    env.cr.commit()
    if account.provider == "gmail":
        answer = google_oauth.walk_consent(url, email=account.email)
    else:
        answer = microsoft_oauth.walk_consent(url, account.email)
    _account, error = mine._finish_sign_in(account.provider, answer)
    if error:
        sys.exit(f"{account.email}: {error}")


def set_parameters():
    for name, value in wanted["parameters"].items():
        secret = Account._encrypt(value) if name.endswith("secret") else value
        env["ir.config_parameter"].set_param(name, secret)


def read(accounts):
    """Runs the crons' own code until these mailboxes are read, or have failed."""
    for account in accounts:
        account.action_sync_now()
    for _round in range(60):
        env.cr.commit()
        for cron in ("_cron_backfill", "_cron_sync"):
            getattr(Account, cron)()
            env.cr.commit()
            env.invalidate_all()
        if all(one.sync_stage == "idle" or one.last_error for one in accounts):
            return
    sys.exit(f"These were not read: {accounts.mapped('email')}")


def copies_of(account, count):
    """Some of the mails of the busiest of the last days."""
    since = fields.Datetime.now() - timedelta(days=6)
    domain = [("account_id", "=", account.id), ("date", ">", since)]
    copies = env["easycrm.email.copy"].search(domain)
    ((day, _mails),) = Counter(copies.mapped(local_day)).most_common(1)
    return copies.filtered(lambda copy: local_day(copy) == day)[:count]


def local_day(copy):
    return pytz.utc.localize(copy.date).astimezone(ZONE).date()


def lose(account, count):
    """Mails that are in the mailbox and not here, and that the comparison has found."""
    copies = copies_of(account, count)
    env["easycrm.email.gap"].create(
        [
            {
                "account_id": account.id,
                "stream": place.stream,
                "provider_ref": place.provider_ref,
                "day": local_day(place.copy_id),
            }
            for place in copies.location_ids
        ]
    )
    copies.unlink()


def make_rules():
    Rule = env["easycrm.email.rule"]
    for pattern, kind, enforced in (
        ("moebelmarkt-news.example", "never_store", False),
        ("paketdienst.example", "never_link", False),
        ("payroll.example", "never_store", True),
    ):
        Rule.create(
            {
                "pattern": pattern,
                "kind": kind,
                "enforced": enforced,
                "user_id": False,
                "company_id": env.company.id,
            }
        )
    for pattern, kind in (
        ("elbe-bank.example", "never_store"),
        ("praxis@dr-lindner.example", "never_store"),
        ("team@kita-sonnenschein.example", "never_store"),
        ("edwin.hansen58@example.com", "never_link"),
    ):
        Rule.with_user(jonas).create({"pattern": pattern, "kind": kind})


for user in (admin, mira, jonas, marc):
    user.tz = wanted["zone"]
set_parameters()
make_rules()

since = now.date() - timedelta(days=90)
draft = connect(mira, "mira", provider="gmail", sync_from=since)
draft.connect_state = {"step": "look", "at": str(tonight), "folders": None}
sign_in(draft)

mine = Account.search([("email", "=", "mitchell@tallwood.example")])
whole = connect(mira, "info", member_ids=[(4, jonas.id)])
short = connect(jonas, "jonas", provider="outlook")
sign_in(short)
failed = connect(marc, "berlin")
paused = connect(jonas, "factory")
read(mine | whole | short | failed | paused)

# A night's comparison finds two mails missing and fetches them.
copies_of(whole, 2).unlink()
(mine | whole | short | failed)._want_check()
read(mine | whole | short | failed)
failed.imap_password = "changed in the mailbox, and not here"
read(failed)
paused.action_pause()
lose(short, 3)
short.sync_status = "incomplete"

(mine | whole | short).checked_at = tonight
yesterday = local(datetime.combine(now.date() - timedelta(days=1), time(16, 41)))
failed.write({"last_sync": yesterday, "told_at": yesterday, "checked_at": yesterday})
paused.last_sync = local(datetime.combine(now.date() - timedelta(days=12), time(9, 5)))
for account, minutes in ((mine, 1), (whole, 2), (short, 3)):
    account.last_sync = fields.Datetime.now() - timedelta(minutes=minutes)
env.flush_all()
# (a write would forget the passwords: they belong to the server)
env.cr.execute(
    """
    UPDATE easycrm_email_account
    SET imap_host = %(name)s, last_error = replace(last_error, imap_host, %(name)s)
    WHERE provider = 'imap'
    """,
    {"name": "imap.tallwood.example"},
)
env.cr.commit()
