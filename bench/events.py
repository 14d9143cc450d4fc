"""How fast what a bulk sender reports is applied, beside Odoo's own opens and clicks.

50,000 events of 10,000 recipients, shuffled, in calls of a thousand: each mail is taken
over, delivered, opened twice and clicked, or comes back.

- ours: applied (`_cron_apply`), what is stored already; and stored, call by call;
- peer: Odoo's own way of the same kinds, for fewer of them: `set_opened` and
  `link.tracker.click.add_click`, a commit each, as its pixel and its short links do;
- floor: the events' rows alone, written back by `execute_values`.

A figure is events a second.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.figures import add_result, timed

from odoo.addons.easycrm_mail.easycrm_mail.esp import Event, EventKind, Severity

PEOPLE, CALL, PEER_EVENTS = 10_000, 1_000, 400

START = datetime.now(timezone.utc) - timedelta(days=1)

CONTACTS = """
    INSERT INTO res_partner (name, complete_name, email, email_normalized, ref, type,
        active)
    SELECT name, name, name || '@bench.example', name || '@bench.example', 'bench',
        'contact', TRUE
    FROM (SELECT 'p' || i AS name FROM generate_series(1, %s) i) AS person
"""
TRACES = """
    INSERT INTO mailing_trace (mass_mailing_id, trace_type, model, res_id, email,
        trace_status, easycrm_batch_id, easycrm_esp_id)
    SELECT %s, 'mail', 'res.partner', id, email, 'process',
        %s + (row_number() OVER (ORDER BY id) - 1) / 1000, %s
    FROM res_partner WHERE ref = 'bench'
    RETURNING id, email, easycrm_batch_id
"""


def make_traces(env):
    """Return the sender, its mailing, and [(trace id, address, key of the batch)]."""
    env.cr.execute(CONTACTS, [PEOPLE])
    esp = env["easycrm.esp"].create({"provider": "sendgrid", "api_key": "bench"})
    mailing = env["mailing.mailing"].create(
        {
            "name": "Bench",
            "subject": "Bench",
            "mailing_model_id": env["ir.model"]._get_id("res.partner"),
            "body_html": "<p>Hello</p>",
            "easycrm_esp_id": esp.id,
        }
    )
    esp.import_wanted = False
    batches = env["easycrm.esp.batch"].create(
        [
            {
                "esp_id": esp.id,
                "mailing_id": mailing.id,
                "key": f"batch{number}",
                "state": "accepted",
                "handed_at": START.replace(tzinfo=None, microsecond=0),
            }
            for number in range(PEOPLE // 1000)
        ]
    )
    env.flush_all()
    env.cr.execute(TRACES, [mailing.id, batches[0].id, esp.id])
    keys = {batch.id: batch.key for batch in batches}
    rows = [(id_, email, keys[batch]) for id_, email, batch in env.cr.fetchall()]
    env.cr.commit()
    for table in ("mailing_trace", "res_partner"):
        env.cr.execute(f"ANALYZE {table}")
    env.cr.commit()
    return esp, mailing, rows


def make_events(rows):
    events = []
    for trace_id, address, key in rows:

        def tell(kind, second, about=(trace_id, address, key), **values):
            trace_id, address, key = about
            events.append(
                Event(
                    key=f"{trace_id}:{second}",
                    kind=kind,
                    at=START + timedelta(seconds=second),
                    address=address,
                    recipient=str(trace_id),
                    batch=key,
                    **values,
                )
            )

        tell(EventKind.PROCESSED, 0)
        if trace_id % 20:
            tell(EventKind.DELIVERED, 30)
            tell(EventKind.OPENED, 3600, user_agent="Thunderbird")
            tell(EventKind.OPENED, 7200, user_agent="Thunderbird")
            url = f"https://example.com/{trace_id % 5}"
            tell(EventKind.CLICKED, 7300, url=url)
        else:
            for second in (5, 6, 7):
                tell(EventKind.DEFERRED, second)
            tell(EventKind.BOUNCED, 60, severity=Severity.HARD, reason="550 unknown")
    random.Random(8).shuffle(events)
    return events


def store(env, esp, events):
    for at in range(0, len(events), CALL):
        env["easycrm.esp.event"]._store(esp, events[at : at + CALL])
        env.cr.commit()


def apply_by_odoo(env, mailing, rows):
    """Do by Odoo's own methods what an open and a click do."""
    link = env["link.tracker"].create(
        {
            "url": "https://example.com/peer",
            "title": "Peer",
            "mass_mailing_id": mailing.id,
        }
    )
    env.cr.commit()
    for trace_id, _address, _key in rows[: PEER_EVENTS // 2]:
        env["mailing.trace"].set_opened(domain=[("id", "=", trace_id)])
        env.cr.commit()
        env["link.tracker.click"].add_click(
            link.code, ip=f"10.0.{trace_id % 250}.1", mailing_trace_id=trace_id
        )
        env.cr.commit()


def write_rows(env):
    env.cr.execute("SELECT * FROM easycrm_esp_event ORDER BY id")
    rows = env.cr.fetchall()
    env.cr.execute("CREATE TABLE bench_event (LIKE easycrm_esp_event INCLUDING ALL)")
    env.cr.commit()

    def insert():
        for at in range(0, len(rows), CALL):
            env.cr.execute_values(
                "INSERT INTO bench_event VALUES %s", rows[at : at + CALL]
            )
            env.cr.commit()

    took, _none = timed(insert)
    return len(rows) / took * 1000


def main(env):
    esp, mailing, rows = make_traces(env)
    events = make_events(rows)
    count = len(events)
    peer_took, _none = timed(apply_by_odoo, env, mailing, rows)
    peer = PEER_EVENTS / peer_took * 1000
    storing, _none = timed(store, env, esp, events)
    applying, _none = timed(env["easycrm.esp.event"]._cron_apply)
    env.cr.execute(
        "SELECT trace_status, count(*) FROM mailing_trace GROUP BY 1 ORDER BY 1"
    )
    assert dict(env.cr.fetchall()) == {
        "bounce": PEOPLE // 20,
        "open": PEOPLE - PEOPLE // 20,
    }
    floor = write_rows(env)
    for name, took in (("applied", applying), ("stored", storing)):
        ours = count / took * 1000
        add_result(
            f"events: {name}, of {count:,}; peer: Odoo's own opens and clicks",
            ours,
            "events/s",
            peer=peer,
            floor=floor,
            ratio=ours / peer,
        )


main(env)  # noqa: F821
