"""Killed while Gmail or Microsoft 365 has a mail: it goes out once, or is asked for.

Real commits and real processes, against loopback services that outlive them.
"""

import os
import time
from datetime import timedelta

import pytest
from odoo_processes import READ, Odoo, query, run_odoo
from test_crash_api import ADDRESS, Gmail, Outlook, connected
from test_crash_send import LATER, SEND, SYNC, states

pytestmark = pytest.mark.skipif(
    "EASYCRM_ODOO" not in os.environ,
    reason="needs a real Odoo: `make test` says where it is",
)

QUEUE = """
from datetime import timedelta
admin = env.ref("base.user_admin")
# (whoever gets a mailbox by the form has to sign in anew)
env.cr.execute("UPDATE easycrm_email_account SET user_id = %%s", [admin.id])
env.registry.clear_all_caches()
env = env(user=admin)
account = env["easycrm.email.account"].search([("email", "=", %(address)r)])
partner = env["res.partner"].search([("email", "=", "anna@acme.example")])
mail = env["easycrm.email.outgoing"].create({
    "account_id": account.id, "partner_id": partner.id,
    "subject": "Offer", "body": "<p>Hello</p>",
    "recipient_ids": [(0, 0, {"address": "anna@acme.example"})],
})
mail.action_queue()
mail.sudo().scheduled_at -= timedelta(seconds=11)
env.cr.commit()
"""

DISCARD = """
mail = env["easycrm.email.outgoing"].search([])
mail.with_user(mail.user_id).action_discard()
env.cr.commit()
env["easycrm.email.outgoing"]._cron_send()
env.cr.commit()
"""


class SendingGmail(Gmail):
    """Gmail, which is told to send by one call."""

    send = "POST .*messages/send"
    renames = True

    def age(self, seconds):
        """Nothing is known by its age here."""


class SendingOutlook(Outlook):
    """Microsoft Graph, which is told to send a draft that it has."""

    send = "POST .*/send$"
    renames = "sent"

    def drafts(self):
        return self.mailbox.in_folder(self.mailbox.folder("drafts"))

    def age(self, seconds):
        """What is there was written so much earlier (a late change is its writer's)."""
        for message in self.drafts():
            message.received -= timedelta(seconds=seconds)
            if message.changed:
                message.changed -= timedelta(seconds=seconds)


@pytest.fixture(params=[SendingGmail, SendingOutlook])
def sender(request):
    sender = request.param()
    with sender.server:
        yield sender


def run(database, sender, script):
    run_odoo(database, script, sender.environment).wait_for_success()


def pass_seconds(database, sender, *waits):
    """Let so many seconds go by, and send; then so many more."""
    sender.age(sum(waits))
    run(database, sender, LATER % (waits,))


def queue(database, sender):
    """A mail that is due, of a mailbox that was read."""
    run(database, sender, READ + QUEUE % {"address": ADDRESS})


def send_and_be_killed(database, sender, moment, kind="none"):
    """Have the outbox sent by a process that is killed in the middle of the call.

    :param moment: `first` or `last`, see `servers.web.Fault`
    """
    worker = Odoo(database, sender.environment)
    sender.server.break_(sender.send, kind, **{moment: worker.kill_at_once})
    worker.run(SEND)
    deadline = time.monotonic() + 120
    while worker.poll() is None:
        assert time.monotonic() < deadline, "it was not killed"
        time.sleep(0.01)
    assert worker.returncode == -9
    sender.server.mend()
    assert states(database) == ["sending"]


def assert_once_on_the_timeline(database, sender):
    run(database, sender, SYNC + SYNC)
    rows = query(
        database,
        """
        SELECT count(DISTINCT copy.id), count(DISTINCT place.id),
               count(DISTINCT link.id), min(link.origin), min(copy.direction)
        FROM easycrm_email email
        LEFT JOIN easycrm_email_copy copy ON copy.email_id = email.id
        LEFT JOIN easycrm_email_location place ON place.copy_id = copy.id
        LEFT JOIN easycrm_email_link link ON link.email_id = email.id
        GROUP BY email.id
        """,
    )
    assert rows == [(1, 1, 1, "sent", "outbound")]
    assert states(database) == ["sent"] and len(sender.server.sent) == 1


def test_killed_before_the_answer_it_is_found_in_sent(sender):
    # (under whichever name it has there)
    sender.server.renames = sender.renames
    with connected(sender, 0) as database:
        queue(database, sender)
        send_and_be_killed(database, sender, "last")
        assert len(sender.server.sent) == 1
        run(database, sender, SEND)
        assert states(database) == ["sending"], "the worker might still be at it"
        pass_seconds(database, sender, 151, 480)
        assert states(database) == ["sent"]
        assert_once_on_the_timeline(database, sender)


def test_killed_before_the_answer_a_sync_settles_it(sender):
    with connected(sender, 0) as database:
        queue(database, sender)
        send_and_be_killed(database, sender, "last")
        assert_once_on_the_timeline(database, sender)
        run(database, sender, SEND)
        assert len(sender.server.sent) == 1


def test_killed_before_the_service_takes_it_it_is_asked_of_its_writer(sender):
    with connected(sender, 0) as database:
        queue(database, sender)
        send_and_be_killed(database, sender, "first", "refuse")
        pass_seconds(database, sender, 151, 900)
        asked = "SELECT state, asked_at IS NOT NULL FROM easycrm_email_outgoing"
        assert query(database, asked) == [("doubt", True)]
        assert not sender.server.sent
        if sender.provider == "outlook":
            assert len(sender.drafts()) == 1
        run(database, sender, DISCARD)
        assert states(database) == ["cancelled"] and not sender.server.sent
        if sender.provider == "outlook":
            assert not sender.drafts()
