"""How fast a campaign goes out through a bulk sender, beside Odoo's own mass mailing.

50,000 contacts get a mail of one of Odoo's own templates, with values of theirs and a
paragraph that a third of them gets otherwise:

- ours: written (`_process_mass_mailing_queue`) and handed over (`_cron_send`) to an
  HTTP server that answers as SendGrid does;
- peer: the same mailing by Odoo itself, to fewer contacts since it is slow, through an
  aiosmtpd that takes all.

Both servers are on the loopback in processes of their own. A figure is recipients a
second from the queue to the server; the calls are beside the fewest that are possible.
"""

import os
import resource
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.figures import add_result, timed
from lib.sinks import Sink

PEOPLE = int(os.environ.get("EASYCRM_BENCH_RECIPIENTS", "50000"))
PEER_PEOPLE = 300

#: What each contact's city decides: three texts.
LOGIC = """
<p t-if="object.city == 'Berlin'">See you in Berlin.</p>
<p t-elif="object.city">See you soon in <t t-out="object.city"/>.</p>
<p t-else="">See you soon, <t t-out="object.name"/>.</p>
"""

CONTACTS = """
    INSERT INTO res_partner (name, complete_name, email, email_normalized, city, ref,
        type, active)
    SELECT name, name, name || '@bench.example', name || '@bench.example',
        (ARRAY[NULL, 'Berlin', 'City ' || i])[i %% 3 + 1], %s, 'contact', TRUE
    FROM (SELECT i, %s || i AS name FROM generate_series(1, %s) i) AS person
"""


def make_mailing(env, name, people, **values):
    env.cr.execute(CONTACTS, [name, name, people])
    theme = env["ir.ui.view"].search(
        [("key", "=like", "mass_mailing.theme_%template%"), ("type", "=", "qweb")],
        limit=1,
        order="key",
    )
    assert theme
    body = str(env["ir.qweb"]._render(theme.id, {"company_id": env.company}))
    mailing = env["mailing.mailing"].create(
        {
            "name": name,
            "subject": "Spring offer for {{ object.name }}",
            "mailing_model_id": env["ir.model"]._get_id("res.partner"),
            "mailing_domain": repr([("ref", "=", name)]),
            "body_html": f"{body}<p>For <t t-out='object.name'/></p>{LOGIC}",
            "email_from": '"News" <news@bench.example>',
            "reply_to_mode": "new",
            "reply_to": "sales@bench.example",
            **values,
        }
    )
    mailing.action_put_in_queue()
    env.cr.commit()
    env.cr.execute("ANALYZE res_partner")
    env.cr.commit()
    return mailing


def send_by_odoo(env):
    sink = Sink("smtp")
    env["ir.mail_server"].create(
        {"name": "Sink", "smtp_host": "127.0.0.1", "smtp_port": sink.port}
    )
    make_mailing(env, "peer", PEER_PEOPLE, easycrm_esp_id=False)
    writing, _none = timed(env["mailing.mailing"]._process_mass_mailing_queue)
    sending, _none = timed(env["mail.mail"].process_email_queue)
    counts = sink.count()
    assert counts["recipients"] == PEER_PEOPLE, counts
    return PEER_PEOPLE / (writing + sending) * 1000


def send_in_bulk(env):
    sink = Sink("http")
    os.environ["EASYCRM_SENDGRID_API_URL"] = f"http://127.0.0.1:{sink.port}"
    esp = env["easycrm.esp"].create({"provider": "sendgrid", "api_key": "bench"})
    esp.import_wanted = False
    mailing = make_mailing(env, "ours", PEOPLE, easycrm_esp_id=esp.id)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writing, _none = timed(env["mailing.mailing"]._process_mass_mailing_queue)
    handing, _none = timed(env["easycrm.esp.batch"]._cron_send)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    counts = sink.count()
    assert counts["recipients"] == PEOPLE
    assert mailing.state == "done"
    print(
        f"  written in {writing / 1000:.1f} s, handed over in {handing / 1000:.1f} s,"
        f" memory {grown / 1024:+.0f} MB",
        flush=True,
    )
    env.cr.execute(
        """SELECT sum(ceil(count / 1000.0)) FROM (
               SELECT count(*) FROM mailing_trace trace
               JOIN easycrm_esp_batch batch ON batch.id = trace.easycrm_batch_id
               WHERE trace.mass_mailing_id = %s GROUP BY batch.content_id) AS texts""",
        [mailing.id],
    )
    fewest = int(env.cr.fetchone()[0])
    return PEOPLE / (writing + handing) * 1000, counts["calls"], fewest, grown / 1024


def main(env):
    peer = send_by_odoo(env)
    ours, calls, fewest, grown = send_in_bulk(env)
    add_result(
        f"campaign: {PEOPLE:,} recipients; peer: Odoo's own, {PEER_PEOPLE}",
        ours,
        "recipients/s",
        peer=peer,
        ratio=ours / peer,
    )
    add_result(
        "campaign: calls; floor: a thousand of each text in one",
        calls,
        "calls",
        floor=fewest,
        ratio=fewest / calls,
    )
    add_result(f"campaign: memory for {PEOPLE:,} recipients", grown, "MB")


main(env)  # noqa: F821
