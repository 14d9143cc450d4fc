"""How fast a timeline opens and pages, beside Odoo's chatter, as the past grows.

One database, filled anew with 10,000, 100,000 and a million mails (three links to a
mail). A salesman, no administrator, asks an Odoo server for pages of a contact with
20,000 mails, over HTTP as his browser does:

- ours: `easycrm_timeline`: the first page with its header, and the next;
- peer: `/mail/thread/messages`: 30 messages of the chatter of the same contact, which
  has 20,000 of them, the first page and the next.

They are asked in turns, so that what else the machine does meets both. A figure is the
milliseconds that the server took by its own log, of the slowest in twenty (p95).

Then a contact is created whose address stands in 500 of the mails, and one whose
address stands nowhere: milliseconds until the answer is here, and the mails linked.

The growth is drawn into docs/timeline-growth.svg if all sizes are measured.
"""

import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.chart import draw
from lib.figures import add_result, percentile, timed
from lib.million import Million
from lib.server import Server, Session

SIZES = [
    int(size)
    for size in os.environ.get("EASYCRM_BENCH_MAILS", "10000,100000,1000000").split(",")
]
ROUNDS = 150
MESSAGES = 20_000
NEW_CONTACTS = 100

MESSAGE_ROWS = """
    INSERT INTO mail_message (model, res_id, message_type, subtype_id,
        author_id, email_from, subject, body, message_id, date, create_uid, create_date,
        write_uid, write_date, is_internal)
    SELECT 'res.partner', %(partner)s, 'email', %(subtype)s,
        %(first)s + i %% 1000, 'contact@customer.example', 'Re: order ' || i,
        '<p>' || repeat('some words of a mail ', 15) || '</p>',
        '<' || i || '@chatter.example>', at, 1, at, 1, at, FALSE
    FROM generate_series(1, %(messages)s) i, LATERAL (
        SELECT timestamp '2025-01-01' + i * interval '50 minutes' AS at) AS made
"""


def add_messages(env, million):
    """Give the busy contact a chatter as long as its timeline."""
    env.cr.execute(
        MESSAGE_ROWS,
        {
            "partner": million.busy.id,
            "subtype": env.ref("mail.mt_comment").id,
            "first": million.values["contact_base"],
            "messages": MESSAGES,
        },
    )
    env.cr.execute("ANALYZE mail_message")
    env.cr.commit()


class Pages:
    """The pages that are asked for, and how long each took."""

    def __init__(self, session, million):
        self.session = session
        self.million = million
        self.asked = []
        self.times = {}

    def measure(self, name, function, *args):
        self.asked.append(name)
        return function(*args)

    def open_timeline(self, partner, name):
        call, model = self.session.call, "res.partner"
        page = self.measure(
            f"{name}, first page", call, model, "easycrm_timeline", partner.ids
        )
        if page["next"]:
            ids = [partner.ids, page["next"]]
            self.measure(f"{name}, next page", call, model, "easycrm_timeline", *ids)
        return page

    def open_chatter(self):
        def fetch(**params):
            return self.session.post(
                "/mail/thread/messages",
                thread_model="res.partner",
                thread_id=self.million.busy.id,
                fetch_params={"limit": 30, **params},
            )

        page = self.measure("chatter, first page", fetch)
        assert len(page["messages"]) == 30
        oldest = min(page["messages"])
        self.measure("chatter, next page", lambda: fetch(before=oldest))

    def measure_all(self):
        self._ask(10)  # what is looked up once in a process
        self.asked.clear()
        self._ask(ROUNDS)
        time.sleep(1)  # the log comes after the answer
        requests = self.session.server.read_requests()[-len(self.asked) :]
        for name, (route, took) in zip(self.asked, requests, strict=True):
            assert ("mail/thread" in route) == ("chatter" in name), (name, route)
            self.times.setdefault(name, []).append(took)
        for name, times in self.times.items():
            print(
                f"  {name}: p50 {percentile(times, 0.5):.1f} ms,"
                f" p95 {percentile(times, 0.95):.1f} ms",
                flush=True,
            )

    def _ask(self, rounds):
        for _round in range(rounds):
            page = self.open_timeline(self.million.busy, "20,000 mails")
            assert page["count_capped"], page["count"]
            self.open_chatter()
            self.open_timeline(self.million.huge, "100,000 mails")
            self.open_timeline(self.million.small, "10 mails")

    def percentile(self, name, part):
        """Return it of the first and the next pages together."""
        both = [self.times[f"{name}, {which} page"] for which in ("first", "next")]
        return percentile(both[0] + both[1], part)


def create_contacts(env, session, million):
    """Return the times of contacts with 500 mails each, and of contacts with none."""
    times = {"known": [], "nowhere": []}
    for number, address in enumerate(million.newcomers[:NEW_CONTACTS]):
        for kind, email in (("known", address), ("nowhere", f"{number}@nowhere.test")):
            values = {"name": f"New {email}", "email": email}
            took, partner_id = timed(
                lambda v=values: session.call("res.partner", "create", [v])
            )
            times[kind].append(took)
            env.cr.rollback()  # a snapshot of before does not show them
            env.cr.execute(
                "SELECT count(*) FROM easycrm_email_link WHERE partner_id = ANY(%s)",
                [partner_id],
            )
            (links,) = env.cr.fetchone()
            assert links == (500 if kind == "known" else 0), f"{links} of {email}"
    for kind, each in times.items():
        each.pop(0)  # planned and compiled anew
        print(
            f"  a contact created, address {kind}: p50 {percentile(each, 0.5):.1f} ms,"
            f" p95 {percentile(each, 0.95):.1f} ms",
            flush=True,
        )
    return times


def main(env):
    making, million = timed(Million, env)
    print(f"people and mailboxes: {making / 1000:.0f} s", flush=True)
    add_messages(env, million)
    # whom Odoo lets create contacts
    million.salesmen.group_ids |= env.ref("base.group_partner_manager")
    env.cr.commit()
    curves, contacts = {}, {}
    for mails in SIZES:
        making, _none = timed(million.make_mails, mails)
        env.cr.execute("SELECT count(*) FROM easycrm_email_link")
        (links,) = env.cr.fetchone()
        env.cr.rollback()
        print(f"{mails:,} mails, {links:,} links: {making / 1000:.0f} s", flush=True)
        with Server(env.cr.dbname, "--max-cron-threads=0") as server:
            login = million.salesmen[0].login
            pages = Pages(Session(server, login, login), million)
            pages.measure_all()
            curves[mails] = pages
            contacts[mails] = create_contacts(env, pages.session, million)
    report(curves, contacts)


def report(curves, contacts):
    first, last = SIZES[0], SIZES[-1]
    ours, chatter = (
        curves[last].percentile(name, 0.95) for name in ("20,000 mails", "chatter")
    )
    add_result(
        f"timeline: a page, p95, of 20,000 in {last:,} mails; peer: chatter",
        ours,
        "ms",
        peer=chatter,
        ratio=chatter / ours,
    )
    before = curves[first].percentile("20,000 mails", 0.95)
    add_result(
        f"timeline: the same; peer: in {first:,} mails",
        ours,
        "ms",
        peer=before,
        ratio=ours / before,
    )
    add_result(
        f"a contact with 500 of {last:,} mails is created, p95; floor: with none",
        percentile(contacts[last]["known"], 0.95),
        "ms",
        floor=percentile(contacts[last]["nowhere"], 0.95),
    )
    if len(SIZES) > 2:
        names = ["20,000 mails", "100,000 mails", "chatter"]
        series = {n: [curves[s].percentile(n, 0.5) for s in SIZES] for n in names}
        series["new contact"] = [percentile(contacts[s]["known"], 0.5) for s in SIZES]
        title = "A page of the timeline, as the database grows"
        picture = draw(title, "mails in the database", "p50, ms", SIZES, series)
        (HERE.parent / "docs" / "timeline-growth.svg").write_text(picture)


main(env)  # noqa: F821 (what an Odoo shell gives)
