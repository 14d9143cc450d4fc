"""A campaign killed at every step, or sent by two at once: each address once, or named.

Real commits and real processes: `kill -9` at the very step, in the middle of the work.
"""

import faulthandler
import time
from collections import Counter

import pytest
from campaigns import SEND, WRITE, Campaign
from odoo_processes import cloned_database, needs_odoo
from servers.sendgrid import SendGridServer

pytestmark = needs_odoo

PEOPLE, FEWER = 10_000, 3_000

#: Put before a script: kills it where it comes to a function, before or after that.
KILL = """
import importlib, os, signal
def die_at(owner, name, after=False):
    real = getattr(owner, name)
    def dying(*args, **kwargs):
        if after:
            real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, dying)
import http.client
from odoo.addons.easycrm_mail.easycrm_mail.esp import SendGrid
from odoo.addons.easycrm_mail.easycrm_mail.models.easycrm_esp_send import BulkRun
Batch, Mailing = type(env["easycrm.esp.batch"]), type(env["mailing.mailing"])
"""

#: (step, whether the mails are out when it dies there)
STEPS = {
    "before it is marked": ("die_at(Batch, '_hand_over')", False),
    "marked, not committed": ("die_at(Batch, '_hand_over', after=True)", False),
    "before the call": ("die_at(SendGrid, 'send')", False),
    "in the call": ("die_at(http.client.HTTPConnection, 'getresponse')", True),
    "before settling": ("die_at(BulkRun, '_end')", True),
    "settled, not committed": ("die_at(Batch, '_settle', after=True)", True),
}

EVENTS = """
import json
from odoo.addons.easycrm_mail.easycrm_mail.esp import SendGridReports
events = SendGridReports("").read(json.dumps(%r).encode())
Event = env["easycrm.esp.event"]
Event._store(env["easycrm.esp"].search([]), events)
env.cr.commit()
Event._cron_apply()
env.cr.commit()
"""


#: Put before a script: another run writes all of it within the first page of this one.
CROSS = """
from odoo.addons.easycrm_mail.easycrm_mail.models.bulk_writer import BulkWriter
real = BulkWriter.write_page
def crossed(self, *args):
    BulkWriter.write_page = real
    with env.registry.cursor() as cr:
        env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
    return real(self, *args)
BulkWriter.write_page = crossed
"""


@pytest.fixture
def server():
    faulthandler.cancel_dump_traceback_later()  # it takes minutes, and may
    with SendGridServer() as server:
        yield server


@pytest.fixture
def database():
    with cloned_database("campaign") as name:
        yield name


def get_addresses(people):
    return {f"p{number}@people.example" for number in range(1, people + 1)}


def count_mails(server):
    return Counter(mail.address for mail in server.deliveries.all())


def wait_for(condition):
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def assert_everybody_has_one(server, people):
    counts = count_mails(server)
    assert set(counts) == get_addresses(people)
    assert set(counts.values()) == {1}


def kill_while_it_writes(campaign, pages):
    """Kill a run that writes, in the midst of one of its pages."""
    before, deadline = campaign.count_traces(), time.monotonic() + 120
    process = campaign.start(WRITE)
    while campaign.count_traces() < before + pages * 1000:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.01)
    time.sleep(0.2)
    process.kill_at_once()
    return campaign.count_traces()


def test_killed_at_every_step_each_address_gets_it_once_or_is_named(database, server):
    campaign = Campaign(database, server, PEOPLE)
    written = kill_while_it_writes(campaign, 1)
    assert 0 < written < PEOPLE, "the kill came too late to prove anything"
    # the pages that are there go out, but those are not all
    campaign.run(SEND)
    assert len(server.deliveries.all()) == written
    assert campaign.get_state() == "sending"
    kill_while_it_writes(campaign, 2)
    # all is written, and that it is so is not
    campaign.run_to_death(KILL + "die_at(Mailing, '_easycrm_end_writing')\n" + WRITE)
    assert campaign.count_traces() == PEOPLE
    campaign.run(WRITE)
    assert campaign.get_state() == "sending"
    assert set(campaign.get_batches()) == {"accepted", "prepared"}

    for step, (where, is_out) in STEPS.items():
        before = count_mails(server)
        campaign.run_to_death(f"{KILL}{where}\n{SEND}")
        if is_out:  # (the sender may be at it still)
            out = len(before) + 1000
            wait_for(lambda out=out: len(server.deliveries.all()) >= out)
        assert len(count_mails(server)) - len(before) == 1000 * is_out, step
    assert campaign.get_batches()["handed_over"] == 4

    # nobody tries again by himself what may have been sent
    campaign.age(6)
    campaign.run(SEND)
    assert campaign.get_batches()["doubt"] == 4
    assert campaign.get_state() == "done"
    lacking = get_addresses(PEOPLE) - set(count_mails(server))
    assert len(lacking) == 1000  # of the one that died before the call
    assert campaign.get_statuses() == {"pending": PEOPLE - 4000, "process": 4000}

    # one event of each batch that is out settles the doubt
    firsts = {
        mail.custom["easycrm_batch"]: server.event(mail, "processed")
        for mail in server.deliveries.all()
    }
    campaign.run(EVENTS % list(firsts.values()))
    assert campaign.get_batches()["doubt"] == 1
    named = campaign.query(
        "SELECT email FROM mailing_trace WHERE trace_status = 'process'"
    )
    assert {address for (address,) in named} == lacking

    # and the one that stays in doubt is sent again by a person
    campaign.age(60)
    campaign.run(
        'env["mailing.mailing"].search([]).action_easycrm_send_unconfirmed()\n' + SEND
    )
    assert_everybody_has_one(server, PEOPLE)
    assert campaign.get_batches() == {"accepted": len(server.bodies)}
    assert campaign.get_statuses() == {"pending": PEOPLE}
    assert campaign.get_state() == "done"


def test_two_runs_at_once_write_and_send_to_everybody_once(database, server):
    campaign = Campaign(database, server, FEWER)
    campaign.run(CROSS + WRITE)
    assert campaign.count_traces() == FEWER
    workers = [campaign.start(SEND) for _worker in range(2)]
    for worker in workers:
        worker.wait_for_success(timeout=300)
    assert_everybody_has_one(server, FEWER)
    assert campaign.get_state() == "done"
    assert campaign.get_statuses() == {"pending": FEWER}


def test_what_is_being_written_is_sent_meanwhile_and_is_not_done_before(
    database, server
):
    campaign = Campaign(database, server, FEWER)
    writer = campaign.start(WRITE)
    deadline = time.monotonic() + 120
    while writer.poll() is None:
        assert time.monotonic() < deadline
        campaign.run(SEND)
        [(state, count)] = campaign.query(
            "SELECT state, (SELECT count(*) FROM mailing_trace) FROM mailing_mailing"
        )
        assert state in ("in_queue", "sending") or count == FEWER
    writer.wait_for_success()
    campaign.run(SEND)
    assert_everybody_has_one(server, FEWER)
    assert campaign.get_state() == "done"
