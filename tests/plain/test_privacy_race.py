"""Two who decide about one conversation at once: nobody's wish is lost."""

import pytest
from odoo_processes import cloned_database, command_odoo, needs_odoo

pytestmark = needs_odoo

SCRIPT = """
from psycopg2.errors import SerializationFailure
from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage

RAW = (
    b"From: anna@acme.example\\r\\nTo: a@own.example, b@own.example\\r\\n"
    b"Subject: Hello\\r\\nDate: Tue, 4 Mar 2025 10:00:00 +0000\\r\\n"
    b"Message-ID: <1@race.example>\\r\\n\\r\\nHi"
)
users = env["res.users"].create([
    {"name": name, "login": name, "email": f"{name}@own.example",
     "group_ids": [(4, env.ref("sales_team.group_sale_salesman").id)]}
    for name in ("a", "b")
])
for user in users:
    account = env["easycrm.email.account"].create(
        {"email": user.email, "user_id": user.id, "imap_host": "imap.own.example"})
    env.cr.flush()
    Ingest(account, "INBOX").store([Read(RemoteMessage("1:1", RAW, True), parse(RAW))])
thread = env["easycrm.email.thread"].search([("root", "=", "<1@race.example>")])
thread.with_user(users[0]).action_make_private()
env.cr.commit()

def decide(cr, user, name):
    mine = env(cr=cr, user=user.id)["easycrm.email.thread"].browse(thread.id)
    return getattr(mine, name)()

def at_once(first, second):
    \"\"\"Do the first, then the second in ignorance of it, then again.\"\"\"
    with env.registry.cursor() as late:
        late.execute("SELECT privacy FROM easycrm_email_thread")
        with env.registry.cursor() as early:
            decide(early, *first)
        try:
            decide(late, *second)
            raise AssertionError("the second was not told of the first")
        except SerializationFailure:
            late.rollback()
    with env.registry.cursor() as again:
        return decide(again, *second)

a, b = users
assert at_once((b, "action_make_private"), (a, "action_share")) == "kept"
assert at_once((b, "action_share"), (a, "action_make_private")) == "private"
assert at_once((a, "action_share"), (b, "action_make_private")) == "private"
"""


@pytest.fixture
def database():
    with cloned_database("privacy") as name:
        yield name


def test_nobodys_wish_is_lost(database):
    command_odoo(database, "shell", "--no-http", script=SCRIPT)
