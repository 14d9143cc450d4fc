"""Runs inside Odoo, in a clone of the demo: a campaign that went out yesterday.

The senders are those of the tests, on loopback: they take the mails and verify nothing
else is asked of them. What they report is made up, but the same every time, and what
the pictures say of it is counted by the app itself.
"""

import os
import sys
from datetime import timedelta, timezone
from pathlib import Path
from random import Random

from odoo import Command, fields

from odoo.addons.easycrm_mail.easycrm_mail.esp import Event, EventKind, Severity

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from servers.mailgun import MailgunServer
from servers.sendgrid import SendGridServer

env = env  # noqa: F821, PLW0127 - given by Odoo's shell

PEOPLE = 3400
DOMAINS = {
    "gmail.com": 37,
    "outlook.com": 19,
    "t-online.de": 9,
    "web.de": 6,
    "hotel.example": 5,
    "gmx.net": 6,
}
BODY = """
<div class="o_layout">
  <p>Dear <t t-out="object.name">guest</t>, our new catalogue is here.</p>
  <p><a href="https://tallwood.example/pricing">Pricing</a>
     <a href="https://tallwood.example/oak">New oak range</a>
     <a href="https://tallwood.example/visit">Book a visit</a>
     <a href="/unsubscribe_from_list">Unsubscribe</a></p>
</div>
"""
BOUNCES = [
    (Severity.HARD, "550 5.1.1 user unknown"),
    (Severity.HARD, "550 5.1.1 user unknown"),
    (Severity.SOFT, "552 5.2.2 mailbox full"),
    (Severity.BLOCKED, "554 blocked"),
]

chance = Random("campaign")
start = fields.Datetime.now() - timedelta(hours=24, minutes=20)


def make_senders():
    """SendGrid and Mailgun, as Settings would have them."""
    sendgrid, mailgun = SendGridServer(), MailgunServer()
    for server in (sendgrid, mailgun):
        server.__enter__()  # (until this process ends)
    os.environ["EASYCRM_SENDGRID_API_URL"] = sendgrid.url
    os.environ["EASYCRM_MAILGUN_API_URL"] = mailgun.url
    common = {"region": "eu", "webhook_key": "key"}
    Esp = env["easycrm.esp"]
    Esp.search([("provider", "=", "sendgrid")]).active = False  # (the demo's own)
    return (
        Esp.create(
            {
                **common,
                "provider": "sendgrid",
                "api_key": sendgrid.key,
                "domain": "mail.tallwood.example",
            }
        ),
        Esp.create(
            {
                **common,
                "provider": "mailgun",
                "api_key": mailgun.key,
                "domain": mailgun.domain,
            }
        ),
    )


def make_mailing(sender):
    hotels, visitors = env["mailing.list"].create(
        [{"name": "Hotels & Gastronomie DACH"}, {"name": "Showroom visitors"}]
    )
    homes = chance.choices(list(DOMAINS), list(DOMAINS.values()), k=PEOPLE)
    addresses = [f"guest{number}@{home}" for number, home in enumerate(homes)]
    env["mailing.contact"].create(
        [
            {
                "name": f"Guest {number}",
                "email": address,
                "list_ids": [Command.link(hotels.id)],
            }
            for number, address in enumerate(addresses)
        ]
        + [
            {
                "name": f"Visitor {number}",
                "email": address,
                "list_ids": [Command.link(visitors.id)],
            }
            for number, address in enumerate([*addresses[:61], "nobody", "at home"])
        ]
    )
    for address in addresses[100:140]:
        env["mail.blacklist"]._add(address)
    admin = env.ref("base.user_admin")
    return (
        env["mailing.mailing"]
        .with_user(admin)
        .create(
            {
                "subject": "Winter catalogue 2027: oak, oiled, ready to ship",
                "mailing_model_id": env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": [Command.set((hotels + visitors).ids)],
                "body_html": BODY,
                "body_arch": BODY,
                "user_id": admin.id,
                "easycrm_esp_id": sender.id,
                "email_from": '"Tallwood Furniture" <news@tallwood.example>',
                "reply_to_mode": "new",
                "reply_to": "sales@tallwood.example",
            }
        )
    )


def hand_over(mailing, count):
    """As the cron does, batch by batch, so many of them."""
    batches = mailing.sudo().easycrm_batch_ids
    for batch in batches.filtered(lambda b: b.state == "prepared")[:count]:
        sender, bulk = batch.esp_id._make_esp(), batch._hand_over()
        batch._settle(sender.send(bulk))
        sender.close()
    env["mailing.mailing"]._easycrm_finish_all()
    env.cr.commit()


def make_events(trace):
    """What becomes of one mail: [(kind, seconds after the sending, more of it)]."""
    is_strict = trace.email.endswith("t-online.de")
    if chance.random() < (0.07 if is_strict else 0.012):
        severity, reason = chance.choice(BOUNCES)
        return [(EventKind.BOUNCED, 8, {"severity": severity, "reason": reason})]
    events = [(EventKind.DELIVERED, chance.randint(2, 90), {})]
    if chance.random() < 0.2:
        at = chance.choice([95, 120, 400, 4000, 9000])
        events.append((EventKind.OPENED, at, {"is_machine": True}))
    if chance.random() < 0.27:
        evening, morning = chance.gammavariate(2, 2.2), chance.uniform(22, 24)
        (hours,) = chance.choices([evening, morning], [9, 1])
        at = int(100 + min(hours, 23.5) * 3600)
        events.append((EventKind.OPENED, at, {}))
        if chance.random() < 0.28:
            url = chance.choices(urls, [5, 3, 2][: len(urls)])[0]
            events.append((EventKind.CLICKED, at + 20, {"url": url}))
        if chance.random() < 0.015:
            events.append((EventKind.UNSUBSCRIBED, at + 40, {}))
    return events


def report(traces):
    told = {}
    for trace in traces:
        for kind, seconds, values in make_events(trace):
            at = start + timedelta(seconds=seconds)
            told.setdefault(trace.easycrm_esp_id, []).append(
                Event(
                    key=f"{trace.id}:{kind}:{seconds}",
                    kind=kind,
                    at=at.replace(tzinfo=timezone.utc),
                    address=trace.email,
                    recipient=str(trace.id),
                    batch=trace.easycrm_batch_id.key,
                    **values,
                )
            )
    for sender, events in told.items():
        env["easycrm.esp.event"]._store(sender, events)
    while env["easycrm.esp.event"]._apply_page():
        env.cr.commit()


sendgrid, mailgun = make_senders()
mailing = make_mailing(sendgrid)
mailing.state = "sending"
mailing._action_send_mail()
hand_over(mailing, 2)
mailing.action_easycrm_go_on_through(mailgun.id)
hand_over(mailing, 99)
mailing.sudo().easycrm_batch_ids.handed_at = start
traces = env["mailing.trace"].search(
    [("mass_mailing_id", "=", mailing.id), ("trace_status", "=", "pending")],
    order="id",
)
traces.sent_datetime = start
urls = env["link.tracker"].search([("mass_mailing_id", "=", mailing.id)], order="id")
urls = urls.mapped("redirected_url")
report(traces)
mailing.sent_date = start + timedelta(minutes=2)
opened = traces.filtered(lambda trace: trace.trace_status == "open")
opened[:23].set_replied()
env.cr.commit()
