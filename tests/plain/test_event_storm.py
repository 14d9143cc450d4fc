"""50,000 events, shuffled and told three times over, through the real webhook and cron.

What becomes of each recipient is told beforehand, in Python, by what happened to him.
"""

import faulthandler
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from campaigns import Campaign
from odoo_processes import OdooServer, manage, needs_odoo
from servers.bulk import Delivered, now
from servers.sendgrid import SendGridServer

pytestmark = needs_odoo

#: Each five recipients have 50 events.
PEOPLE, EVENTS, TIMES, CALL, WORKERS = 5_000, 50_000, 3, 1_000, 4

#: Five batches that are handed over, as the senders' answers never came.
HAND_OVER = """
admin = env.ref("base.user_admin")
admin.password = "admin"
mailing = env["mailing.mailing"].search([])
mailing.state = "sending"
esp = mailing.easycrm_esp_id
batches = env["easycrm.esp.batch"].create([
    {"esp_id": esp.id, "mailing_id": mailing.id, "key": f"batch{n}",
     "state": "handed_over", "handed_at": "2026-01-01 00:00:00"} for n in range(5)])
env.flush_all()
env.cr.execute('''
    INSERT INTO mailing_trace (mass_mailing_id, trace_type, model, res_id, email,
        trace_status, easycrm_batch_id, easycrm_esp_id)
    SELECT %s, 'mail', 'res.partner', id, email, 'process',
        %s + (row_number() OVER (ORDER BY id) - 1) %% 5, %s
    FROM res_partner WHERE ref = 'campaign' ''', [mailing.id, batches[0].id, esp.id])
env.cr.commit()
"""

START = now() - 24 * 3600
HOUR = 3600


def read_all_well(tell):
    """He reads it twice, and clicks; his mail client had opened it first."""
    tell("processed", 0)
    tell("deferred", 10)
    tell("delivered", 60)
    tell("open", 61)  # (within seconds: a scanner)
    tell("open", 900, sg_machine_open=True)
    tell("open", HOUR)
    tell("open", 2 * HOUR)
    tell("click", 2 * HOUR + 9, url="https://example.com/x")
    tell("click", 2 * HOUR + 99, url="https://example.com/y")
    tell("click", 62, url="https://example.com/x")  # (a scanner)
    return "open", 60, 2, 2, 2, None, None


def is_unknown(tell):
    """His mailbox does not exist."""
    tell("processed", 0)
    for second in range(10, 18):
        tell("deferred", second)
    tell("bounce", 70, type="bounce", status="5.1.1", reason="550 unknown")
    return "bounce", None, 0, 0, 0, "hard", None


def complains(tell):
    """He opens it, and reports it as spam."""
    tell("processed", 0)
    tell("delivered", 60)
    for second in range(6):
        tell("open", HOUR + second)
    tell("spamreport", 2 * HOUR)
    tell("deferred", 5)
    return "open", 60, 6, 0, 0, None, 2 * HOUR


def is_full(tell):
    """It was delivered, and came back later all the same."""
    for second in range(8):
        tell("deferred", second)
    tell("delivered", 60)
    tell("bounce", 300, type="bounce", status="4.2.2", reason="mailbox full")
    return "bounce", 60, 0, 0, 0, "soft", None


def lets_a_machine_open(tell):
    """Nobody has read it."""
    tell("processed", 0)
    tell("delivered", 60)
    for second in range(8):
        tell("open", 500 + second, sg_machine_open=True)
    return "sent", 60, 0, 8, 0, None, None


STORIES = (read_all_well, is_unknown, complains, is_full, lets_a_machine_open)


@pytest.fixture
def server():
    faulthandler.cancel_dump_traceback_later()  # it takes minutes, and may
    with SendGridServer() as server:
        yield server


@pytest.fixture
def campaign(server):
    name = f"{os.environ['EASYCRM_TEST_PREFIX']}storm"
    manage("clone", name)
    try:
        campaign = Campaign(name, server, PEOPLE)
        campaign.run(HAND_OVER)
        yield campaign
    finally:
        manage("drop", name)


def make_events(campaign, server):
    """Return all events, and what is true then: {trace id: its story's end}."""
    rows = campaign.query(
        """SELECT trace.id, trace.email, batch.key FROM mailing_trace trace
           JOIN easycrm_esp_batch batch ON batch.id = trace.easycrm_batch_id"""
    )
    events, truth = [], {}
    for trace_id, address, key in rows:
        custom = {"easycrm_key": str(trace_id), "easycrm_batch": key}
        mail = Delivered(trace_id, address, "", "", "", {}, custom)

        def tell(kind, second, mail=mail, **values):
            values["timestamp"] = START + second
            events.append(server.event(mail, kind, **values))

        truth[trace_id] = STORIES[trace_id % len(STORIES)](tell)
    return events, truth


def wait_until_applied(campaign):
    deadline = time.monotonic() + 600
    waiting = "SELECT 1 FROM easycrm_esp_event WHERE applied IS NOT TRUE LIMIT 1"
    while campaign.query(waiting) or campaign.get_state() != "done":
        assert time.monotonic() < deadline, "the cron does not get through"
        time.sleep(0.2)


def test_after_a_storm_the_truth_is_exact(campaign, server):
    events, truth = make_events(campaign, server)
    assert len(events) == EVENTS
    storm = events * TIMES
    random.Random(8).shuffle(storm)
    calls = [storm[at : at + CALL] for at in range(0, len(storm), CALL)]
    [(token,)] = campaign.query("SELECT webhook_token FROM easycrm_esp")
    with (
        OdooServer(campaign.database, crons=1) as odoo,
        ThreadPoolExecutor(WORKERS) as senders,
    ):
        url = f"{odoo.url}/easycrm_mail/webhook/sendgrid/{token}"

        def report(call):
            # (what it cannot take just now is told again, as SendGrid does; so is what
            # a busy machine answers too late)
            for _try in range(20):
                try:
                    status = server.report(url, call)
                except TimeoutError:
                    continue
                if status < 500:
                    return status
                refused.append(status)
            return None

        refused = []
        assert set(senders.map(report, calls)) == {200}
        wait_until_applied(campaign)
    assert not refused, "even that is not needed"
    assert campaign.query("SELECT count(*) FROM easycrm_esp_event") == [(EVENTS,)]

    rows = campaign.query(
        f"""
        SELECT id, trace_status,
            extract(epoch FROM easycrm_delivered_at)::int - {START},
            coalesce(easycrm_open_count, 0), coalesce(easycrm_machine_open_count, 0),
            coalesce(easycrm_click_count, 0), easycrm_bounce_kind,
            extract(epoch FROM easycrm_complained_at)::int - {START}
        FROM mailing_trace
        """
    )
    assert {row[0]: row[1:] for row in rows} == truth

    clicks = campaign.query(
        """SELECT link.url, count(*), count(DISTINCT click.mailing_trace_id)
           FROM link_tracker_click click JOIN link_tracker link
             ON link.id = click.link_id GROUP BY link.url ORDER BY link.url"""
    )
    readers = PEOPLE // len(STORIES)
    assert clicks == [
        ("https://example.com/x", readers, readers),
        ("https://example.com/y", readers, readers),
    ]
    kept = campaign.query(
        "SELECT reason, count(*) FROM easycrm_esp_suppression GROUP BY 1 ORDER BY 1"
    )
    assert kept == [("bounced", readers), ("complained", readers)]
    blocked = campaign.query("SELECT count(*) FROM mail_blacklist WHERE active")
    assert blocked == [(2 * readers,)]
    assert campaign.get_batches() == {"accepted": 5}
    assert campaign.get_state() == "done"
