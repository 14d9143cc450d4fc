"""How fast Unlinked Emails opens, pages and counts, with 200,000 emails of one user.

She has a mailbox with 150,000 of them and is in a team's with 50,000, from 20,000
senders, some of whom wrote a thousand times as much as others. An Odoo server is asked
over HTTP, as her browser does:

- ours: opening (the groups, the first page and the badge), the groups, a page, a page
  far down, and the badge's count;
- peer: Odoo's own list of leads, of which she has as many, from as many addresses:
  `web_read_group`, `web_search_read` and `search_count`;
- floor: the rows alone, by the best statement in psycopg, without Odoo.

They are asked in turns. A figure is the milliseconds that the server took by its own
log, of the slowest in twenty (p95).
"""

import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.figures import add_result, percentile, timed
from lib.server import Server, Session
from lib.unlinked_mails import MAILS, UnlinkedMails

ROUNDS = 60
DEEP = 100_000

LEADS = """
    INSERT INTO crm_lead (name, type, active, user_id, company_id, stage_id, email_from,
        email_normalized, create_date, write_date)
    SELECT 'Order ' || email.id, 'opportunity', TRUE, %(user)s, email.company_id,
        (SELECT min(id) FROM crm_stage), held.from_address, held.from_address,
        held.date, held.date
    FROM easycrm_email_copy held JOIN easycrm_email email ON email.id = held.email_id
"""
FLOORS = {
    "groups": """
        SELECT from_address, count(*), max(date) FROM easycrm_email_copy
        WHERE account_id = ANY(%(accounts)s) AND is_unlinked IS TRUE
          AND ignored IS NOT TRUE
        GROUP BY 1 ORDER BY 3 DESC LIMIT 60""",
    "page": """
        SELECT held.id, held.from_address, held.date, content.subject, content.snippet
        FROM (SELECT * FROM unnest(%(accounts)s) AS box (id),
                  LATERAL (SELECT id AS copy_id, email_id, from_address, date
                           FROM easycrm_email_copy
                           WHERE account_id = box.id AND is_unlinked IS TRUE
                             AND ignored IS NOT TRUE
                           ORDER BY date DESC, id DESC LIMIT 80) AS newest
              ORDER BY date DESC LIMIT 80) AS held
        JOIN easycrm_email_content content ON content.email_id = held.email_id""",
    "count": """
        SELECT count(*) FROM easycrm_email_copy
        WHERE account_id = ANY(%(accounts)s) AND is_unlinked IS TRUE
          AND ignored IS NOT TRUE""",
}


class Inbox:
    """What is asked for, and how long each took."""

    def __init__(self, session, env, mails):
        self.session, self.env, self.mails = session, env, mails
        self.asked, self.times = [], {}
        # where a reader gets who has scrolled half way down
        self.far = mails.get_cursor(DEEP)

    def ask(self, name, model, method, *args, **kwargs):
        self.asked.append(name)
        return self.session.call(model, method, *args, **kwargs)

    def ask_all(self):
        copy, lead = "easycrm.email.copy", "crm.lead"
        groups = self.ask("groups", copy, "unlinked_groups", [])
        assert groups["mails"] == MAILS and len(groups["groups"]) == 60
        page = self.ask("page", copy, "unlinked_page", [])
        assert len(page["rows"]) == 80
        assert self.ask("count", copy, "unlinked_count") == MAILS
        page = self.ask("deep", copy, "unlinked_page", [], self.far)
        assert len(page["rows"]) == 80
        busy = groups["groups"][0]["address"]
        self.ask("sender", copy, "unlinked_page", [], address=busy)
        self.ask(
            "peer groups", lead, "web_read_group", [], ["email_normalized"], limit=60
        )
        shown = {"name": {}, "email_from": {}, "create_date": {}}
        self.ask(
            "peer page", lead, "web_search_read", [], shown, limit=80, order="id desc"
        )
        self.ask("peer count", lead, "search_count", [])

    def ask_floor(self):
        for name, statement in FLOORS.items():
            took, _rows = timed(self._run, statement)
            self.times.setdefault(f"floor {name}", []).append(took)

    def _run(self, statement):
        self.env.cr.execute(statement, {"accounts": self.mails.accounts.ids})
        return self.env.cr.fetchall()

    def measure(self):
        for _round in range(5):  # what is looked up once in a process
            self.ask_all()
        self.asked.clear()
        for _round in range(ROUNDS):
            self.ask_all()
            self.ask_floor()
        time.sleep(1)  # the log comes after the answer
        requests = self.session.server.read_requests()[-len(self.asked) :]
        for name, (_route, took) in zip(self.asked, requests, strict=True):
            self.times.setdefault(name, []).append(took)
        for kind in ("", "peer ", "floor "):
            parts = [self.times[kind + name] for name in ("groups", "page", "count")]
            self.times[f"{kind}open"] = [sum(each) for each in zip(*parts, strict=True)]
        for name, times in sorted(self.times.items()):
            print(
                f"  {name}: p50 {percentile(times, 0.5):.1f} ms,"
                f" p95 {percentile(times, 0.95):.1f} ms",
                flush=True,
            )


def main(env):
    making, mails = timed(UnlinkedMails, env)
    env.cr.execute(LEADS, {"user": mails.user.id})
    env.cr.commit()
    mails.vacuum("crm_lead")
    print(f"{MAILS:,} unlinked emails: {making / 1000:.0f} s", flush=True)
    with Server(env.cr.dbname, "--max-cron-threads=0") as server:
        login = mails.user.login
        inbox = Inbox(Session(server, login, login), env, mails)
        inbox.measure()

    def p95(name):
        return percentile(inbox.times[name], 0.95)

    for name, words in (
        ("open", "opened (groups, page and count)"),
        ("groups", "groups by sender"),
        ("page", "first page"),
        ("count", "count"),
    ):
        add_result(
            f"unlinked: {words}, p95, of {MAILS:,}; peer: Odoo's list of leads",
            p95(name),
            "ms",
            peer=p95(f"peer {name}"),
            floor=p95(f"floor {name}"),
            ratio=p95(f"peer {name}") / p95(name),
        )
    for name, words in (("deep", "a page half way down"), ("sender", "one sender's")):
        add_result(
            f"unlinked: {words}, p95; peer: the first page",
            p95(name),
            "ms",
            peer=p95("page"),
            ratio=p95("page") / p95(name),
        )


main(env)  # noqa: F821
