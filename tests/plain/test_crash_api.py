"""Gmail and Microsoft 365, killed anywhere or read twice at once: the mailbox's mail is
here, exactly once, and the grant outlives it.

Real commits and real processes, against loopback services that outlive them.
"""

import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest
from odoo_processes import (
    READ,
    Odoo,
    assert_mailbox_is_here_once,
    cloned_database,
    count_emails,
    kill_in_mid_sync,
    needs_odoo,
    query,
    run_odoo,
)
from servers.gmail import GmailServer
from servers.graph import GraphServer

pytestmark = needs_odoo

CLIENT, SECRET = "our-client", "our client's secret"
ADDRESS = "mira@own.example"
TESTS = Path(__file__).parents[1]

#: Enough for a first sync without a rest, of the service and of ours.
UNITS = 1_000_000

CONNECT = """
import sys
sys.path.insert(0, {tests!r})
from servers.{oauth} import walk_consent
from odoo.addons.easycrm_mail.easycrm_mail.models import secrets

params = env["ir.config_parameter"]
params.set_param("web.base.url", "http://127.0.0.1:8069")
params.set_param("easycrm_mail.{service}_client_id", {client!r})
params.set_param("easycrm_mail.{service}_client_secret", secrets.encrypt({secret!r}))
params.set_param("easycrm_mail.gmail_units", "{units}")
env["res.partner"].create({{"name": "Anna", "email": "anna@acme.example"}})
Account = env["easycrm.email.account"]
account = Account.create({{"email": {address!r}, "provider": {provider!r}}})
env.cr.commit()
url = account.action_sign_in()["url"]
env.cr.commit()
answer = {consent}
_account, error = Account._finish_sign_in({provider!r}, answer)
assert not error, error
env.cr.commit()
"""

LOOK = """
env["easycrm.email.account"]._cron_sync()
env.cr.commit()
"""


class Gmail:
    """Gmail, with one mailbox."""

    provider, service, oauth = "gmail", "google", "google_oauth"
    consent = f"walk_consent(url, email={ADDRESS!r})"
    token, look = "^POST /token", "^GET /gmail/v1/users/me/history"

    def __init__(self):
        self.server = GmailServer(limit=UNITS)
        self.server.oauth.client_id = CLIENT
        self.server.oauth.client_secret = SECRET
        self.environment = {
            "EASYCRM_GMAIL_API_URL": self.server.url,
            "EASYCRM_GOOGLE_OAUTH_URL": self.server.url,
        }
        self.mailbox = self.server.add_mailbox(ADDRESS)

    def deliver(self, number, raw, date):
        thread_id = f"{number // 10 + 1:x}"
        self.mailbox.deliver(raw, at=date.timestamp(), thread_id=thread_id)

    def expire_tokens(self):
        self.server.oauth.expire_tokens()

    def contents(self):
        return self.mailbox.snapshot()


class Outlook:
    """Microsoft Graph, with one mailbox. A refresh token is dead once it is used."""

    provider, service, oauth = "outlook", "microsoft", "microsoft_oauth"
    consent = f"walk_consent(url, {ADDRESS!r})"
    token, look = "^POST /organizations/oauth2/v2.0/token", "^GET .*/messages/delta"

    def __init__(self):
        self.server = GraphServer()
        self.server.login.register(CLIENT, SECRET)
        self.environment = {
            "EASYCRM_GRAPH_API_URL": self.server.url,
            "EASYCRM_MICROSOFT_LOGIN_URL": self.server.url,
        }
        self.mailbox = self.server.add_mailbox(ADDRESS)

    def deliver(self, number, raw, date):
        self.mailbox.deliver(raw, received=date)

    def expire_tokens(self):
        self.server.login.expire_tokens()

    def contents(self):
        return self.mailbox.contents()


@pytest.fixture(params=[Gmail, Outlook])
def service(request):
    service = request.param()
    with service.server:
        yield service


@contextmanager
def connected(service, mails):
    """A database with an account that has signed in to a mailbox with so many mails."""
    fill(service, range(mails))
    script = CONNECT.format(
        tests=str(TESTS),
        oauth=service.oauth,
        service=service.service,
        provider=service.provider,
        consent=service.consent,
        client=CLIENT,
        secret=SECRET,
        units=UNITS,
        address=ADDRESS,
    )
    with cloned_database("crash_api") as name:
        run_odoo(name, script, service.environment).wait_for_success()
        yield name


def fill(service, numbers):
    now = datetime.now(timezone.utc)
    for number in numbers:
        date = now - timedelta(minutes=numbers[-1] - number)
        mail = EmailMessage()
        mail["From"] = "Anna <anna@acme.example>"
        mail["To"] = ADDRESS
        mail["Subject"] = f"Number {number}"
        mail["Date"] = format_datetime(date)
        mail["Message-ID"] = f"<{number}@acme.example>"
        mail["References"] = f"<{number // 10 * 10}@acme.example>"
        mail.set_content(f"This is number {number}. " + "x" * 500)
        service.deliver(number, mail.as_bytes(), date)


def count_refreshes(service):
    """Requests to the token endpoint; the first has redeemed the code."""
    token = service.token.removeprefix("^")
    return sum(call.startswith(token) for call in service.server.calls) - 1


def assert_account_is_well(database):
    state = query(
        database,
        "SELECT sync_status, last_error, retry_count, failed_at"
        " FROM easycrm_email_account",
    )
    assert state == [("ok", None, 0, None)]


def look_again(database, service):
    """Expire the access token; a look that needs the refresh token goes well."""
    service.expire_tokens()
    before = count_refreshes(service)
    run_odoo(database, LOOK, service.environment).wait_for_success()
    assert count_refreshes(service) == before + 1
    assert_account_is_well(database)


def test_5000_mails_interrupted_ten_times_are_here_once(service):
    mails = 5_000
    with connected(service, mails) as database:
        before = service.contents()
        seen = kill_in_mid_sync(database, 10, 0.5, service.environment)
        assert seen[0] > 0 and seen[-1] < mails, f"nothing was interrupted: {seen}"
        assert len(set(seen)) == 10, f"each run goes on: {seen}"
        run_odoo(database, READ, service.environment).wait_for_success()
        assert_mailbox_is_here_once(database, mails)
        assert_account_is_well(database)
        assert service.contents() == before, "the mailbox is as it was"


def test_two_workers_at_once_store_every_mail_once(service):
    mails = 700
    with connected(service, mails) as database:
        workers = [run_odoo(database, READ, service.environment) for _one in range(2)]
        for worker in workers:
            worker.wait_for_success()
        assert_mailbox_is_here_once(database, mails)
        assert_account_is_well(database)


def test_a_grant_outlives_two_workers_and_a_kill(service):
    with connected(service, 20) as database:
        run_odoo(database, READ, service.environment).wait_for_success()
        check_two_workers_refresh_one_token(database, service)
        check_killed_before_the_new_token_is_used(database, service)
        look_again(database, service)
        assert_mailbox_is_here_once(database, 40)


def check_two_workers_refresh_one_token(database, service):
    workers = [Odoo(database, service.environment) for _worker in range(2)]
    fill(service, range(20, 30))
    service.expire_tokens()
    # The second one comes while the first one waits for its answer.
    service.server.break_(service.token, "slow", seconds=4, times=9)
    for worker in workers:
        worker.run(LOOK)
    for worker in workers:
        worker.wait_for_success()
    service.server.mend()
    assert count_refreshes(service) == 1
    assert count_emails(database) == 30
    assert_account_is_well(database)


def check_killed_before_the_new_token_is_used(database, service):
    fill(service, range(30, 40))
    service.expire_tokens()
    before = count_refreshes(service)
    worker = Odoo(database, service.environment)
    # The first look is refused, the second bears the new token.
    service.server.break_(service.look, "none", after=1, first=worker.kill_at_once)
    worker.run(LOOK)
    deadline = time.monotonic() + 180
    while worker.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert count_refreshes(service) == before + 1
    assert count_emails(database) == 30
    run_odoo(database, LOOK, service.environment).wait_for_success()
    assert count_refreshes(service) == before + 1, "the new token was kept"
    assert count_emails(database) == 40
    assert_account_is_well(database)
