"""Two people link, take off and undo at the same time: what the lists say is so.

Real commits: each case is two transactions, the second of which has begun before the
first was committed. Odoo makes it again, as it does with every request.
"""

import pytest
from odoo_processes import cloned_database, needs_odoo, query, run_odoo

pytestmark = needs_odoo

HELPERS = """
from odoo.service.model import retrying

def act(env, user, function):
    return function(env(user=user.id, context={"allowed_company_ids": [1]}))

def cross(first, second):
    # the second's snapshot is older than what the first commits
    with env.registry.cursor() as cr:
        late = env(cr=cr)
        cr.execute("SELECT count(*) FROM easycrm_email_link")
        with env.registry.cursor() as other:
            first(env(cr=other))
        return retrying(lambda: second(late), late)

def link(record, *copies):
    def run(env):
        mine = env["easycrm.email.copy"].with_user(mira.id)
        return mine.link_to([copy.id for copy in copies], record._name, record.id)
    return run

def teach(batch, scope, user=None):
    def run(env):
        copies = env["easycrm.email.copy"].with_user((user or mira).id)
        return copies.teach(batch, scope)
    return run

def ignore(copy, scope):
    return lambda env: env["easycrm.email.copy"].with_user(mira.id).ignore(
        copy.ids, scope)

def look_again():
    env.cr.commit()
    env.cr.execute("UPDATE easycrm_email_batch SET again_at = '2025-01-01'"
                   " WHERE again_at IS NOT NULL")
    env.invalidate_all()
    while env["easycrm.email.batch"]._look_again_due():
        env.cr.commit()

def take_off(email, record):
    def run(env):
        field = "partner_id" if record._name == "res.partner" else "lead_id"
        links = env["easycrm.email.link"].with_user(mira.id).search(
            [("email_id", "=", email.id), (field, "=", record.id)])
        assert links
        links.action_take_off()
    return run

def undo(batch):
    return lambda env: env["easycrm.email.copy"].with_user(mira.id).undo(batch)

def state(email):
    env.cr.commit()
    env.invalidate_all()
    copies = email.copy_ids
    links = email.link_ids.filtered(lambda link: not link.removed)
    assert email.is_linked == bool(links), (email.is_linked, links)
    for copy in copies:
        assert copy.is_unlinked == (not links), (copy, links)
    return {(link.partner_id or link.lead_id).name for link in links}

mira = env["res.users"].create({
    "name": "Mira", "login": "mira", "email": "mira@own.example",
    "group_ids": [(4, env.ref("sales_team.group_sale_manager").id)]})
account, other = env["easycrm.email.account"].create([
    {"email": f"{name}@own.example", "user_id": user.id, "imap_host": "127.0.0.1",
     "sync_status": "paused"}
    for name, user in (("mira", mira), ("other", env.user))])
first, second = env["crm.lead"].create([{"name": "First"}, {"name": "Second"}])
company = env["res.partner"].create({"name": "Company", "is_company": True})
person = env["res.partner"].create({"name": "Person", "parent_id": company.id})
number = 0

def add_mail(after=None, sender=None):
    store, find = make_mail(after, sender)
    store(env, account)
    env.cr.commit()
    email = find()
    assert len(email) == 1
    return email, email.copy_ids, lambda account: lambda env: store(env, account)

def make_mail(after=None, sender=None):
    global number
    number += 1
    message_id = f"<{number}@stray.example>"
    refs = f"References: {after.message_id}\\r\\n" if after else ""
    from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
    from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
    from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage
    sender = sender or f"x{number}@stray.example"
    raw = (f"From: {sender}\\r\\nTo: mira@own.example\\r\\n"
           f"Subject: {number}\\r\\nMessage-ID: {message_id}\\r\\n{refs}"
           f"Date: Tue, 4 Mar 2025 10:00:00 +0000\\r\\n\\r\\nHello").encode()
    def store(env, account, ref=f"1:{number}"):
        read = Read(RemoteMessage(ref, raw, True), parse(raw))
        Ingest(account.with_env(env).sudo(), "INBOX").store([read])
    def find():
        return env["easycrm.email"].search([("message_id", "=", message_id)])
    return store, find
"""

CASES = {
    "linked here while the last other link goes": """
email, copy, _store = add_mail()
link(first, copy)(env); env.cr.commit()
cross(link(second, copy), take_off(email, first))
assert state(email) == {"Second"}
""",
    "the last link goes while it is linked here": """
email, copy, _store = add_mail()
link(first, copy)(env); env.cr.commit()
cross(take_off(email, first), link(second, copy))
assert state(email) == {"Second"}
""",
    "two links go at once": """
email, copy, _store = add_mail()
link(first, copy)(env); link(second, copy)(env); env.cr.commit()
cross(take_off(email, first), take_off(email, second))
assert state(email) == set()
""",
    "linked to the same record at once": """
email, copy, _store = add_mail()
done = cross(link(first, copy), link(first, copy))
assert done["count"] == 0, done
assert state(email) == {"First"}
""",
    "undone twice at once": """
email, copy, _store = add_mail()
batch = link(first, copy)(env)["batch"]; env.cr.commit()
done = cross(undo(batch), undo(batch))
assert done["count"] == 0, done
assert state(email) == set()
""",
    "undone while it is linked elsewhere": """
email, copy, _store = add_mail()
batch = link(first, copy)(env)["batch"]; env.cr.commit()
cross(link(second, copy), undo(batch))
assert state(email) == {"Second"}
""",
    "another mailbox gets it while it is linked": """
email, copy, store = add_mail()
cross(link(first, copy), store(other))
assert state(email) == {"First"} and len(email.copy_ids) == 2
""",
    "it is linked while another mailbox gets it": """
email, copy, store = add_mail()
cross(store(other), link(first, copy))
assert state(email) == {"First"} and len(email.copy_ids) == 2
""",
    "two teach the same conversation at once": """
email, copy, store = add_mail()
store(other)(env); env.cr.commit()
mine = link(first, copy)(env)["batch"]
theirs = env["easycrm.email.copy"].link_to(
    (email.copy_ids - copy).ids, "crm.lead", first.id)["batch"]
env.cr.commit()
cross(teach(mine, "thread"), teach(theirs, "thread", env.user))
answer, _copy, _store = add_mail(email)
assert state(answer) == {"First"}
""",
    "mail is stored while a conversation is taught": """
email, copy, _store = add_mail(sender="a@0.thread.example")
batch = link(person, copy)(env)["batch"]; env.cr.commit()
store, find = make_mail(email, "b@0.thread.example")
cross(teach(batch, "thread"), lambda env: store(env, account))
look_again()
assert state(find()) == {"Person"}
""",
    "a conversation is taught while its mail is stored": """
email, copy, _store = add_mail(sender="a@1.thread.example")
batch = link(person, copy)(env)["batch"]; env.cr.commit()
store, find = make_mail(email, "b@1.thread.example")
cross(lambda env: store(env, account), teach(batch, "thread"))
look_again()
assert state(find()) == {"Person"}
""",
    "mail is stored while a domain is taught": """
email, copy, _store = add_mail(sender="a@0.domain.example")
batch = link(person, copy)(env)["batch"]; env.cr.commit()
store, find = make_mail(None, "b@0.domain.example")
cross(teach(batch, "domain"), lambda env: store(env, account))
look_again()
assert state(find()) == {"Company"}
""",
    "a domain is taught while its mail is stored": """
email, copy, _store = add_mail(sender="a@1.domain.example")
batch = link(person, copy)(env)["batch"]; env.cr.commit()
store, find = make_mail(None, "b@1.domain.example")
cross(lambda env: store(env, account), teach(batch, "domain"))
look_again()
assert state(find()) == {"Company"}
""",
    "mail is stored while its sender is ignored": """
email, copy, _store = add_mail(sender="a@0.ignored.example")
store, find = make_mail(None, "a@0.ignored.example")
cross(ignore(copy, "address"), lambda env: store(env, account))
look_again()
assert find().copy_ids.ignored
""",
    "a sender is ignored while his mail is stored": """
email, copy, _store = add_mail(sender="a@1.ignored.example")
store, find = make_mail(None, "a@1.ignored.example")
cross(lambda env: store(env, account), ignore(copy, "address"))
look_again()
assert find().copy_ids.ignored
""",
    "mail is stored while its domain is ignored": """
email, copy, _store = add_mail(sender="a@2.ignored.example")
store, find = make_mail(None, "b@2.ignored.example")
cross(ignore(copy, "domain"), lambda env: store(env, account))
look_again()
assert find().copy_ids.ignored
""",
    "the record is deleted while it is linked there": """
email, copy, _store = add_mail()
lead = env["crm.lead"].create({"name": "Gone"}); env.cr.commit()
def delete(env):
    lead.with_env(env).unlink()
try:
    cross(delete, link(lead, copy))
except Exception as error:
    assert "not here any more" in str(error), error
else:
    raise AssertionError("it was linked to nothing")
assert state(email) == set()
""",
}


@pytest.fixture(scope="module")
def database():
    with cloned_database("races") as name:
        yield name


def test_what_crosses_ends_as_it_should(database):
    cases = "\n".join(
        f"try:\n    exec({case!r})\n    print('held:', {name!r})\n"
        f"except Exception as error:\n"
        f"    import traceback\n    print('broken:', {name!r}, error)\n"
        f"    traceback.print_exc()\n    env.cr.rollback()\n"
        for name, case in CASES.items()
    )
    script = f"exec({HELPERS!r})\nenv.cr.commit()\n{cases}\n"
    out, _err = run_odoo(database, script).communicate(timeout=200)
    assert [name for name in CASES if f"held: {name}" not in out] == [], out
    [[wrong]] = query(
        database,
        """SELECT count(*) FROM easycrm_email_copy held
           WHERE held.is_unlinked = EXISTS (
               SELECT FROM easycrm_email_link link
               WHERE link.email_id = held.email_id AND link.removed IS NOT TRUE)""",
    )
    assert wrong == 0
