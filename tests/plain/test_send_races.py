"""Two who have one draft open at once: what leaves is what its sender saw."""

import pytest
from odoo_processes import cloned_database, needs_odoo, run_odoo

pytestmark = needs_odoo

PREPARE = """
from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError

admin = env.ref("base.user_admin").id
account = env["easycrm.email.account"].create({
    "email": "mira@own.example", "user_id": admin, "imap_host": "imap.own.example",
    "imap_login": "mira", "imap_password": "secret",
    "smtp_host": "smtp.own.example", "smtp_port": 465,
})
anna = env["res.partner"].create({"name": "Anna", "email": "anna@acme.example"})
env.cr.commit()


def other():
    one = env(cr=env.registry.cursor(), user=admin)
    one.cr.execute("SELECT 1 FROM easycrm_email_outgoing")  # its snapshot is of now
    return one


def write_one(subject):
    opened = env(user=admin)["easycrm.email.compose"].with_context(
        active_model="res.partner", active_id=anna.id
    )
    window = opened.browse(opened.easycrm_open()["id"])
    window.attachment_ids = window.attachment_ids.create({
        "name": "Offer", "raw": b"As it was read",
        "res_model": window._name, "res_id": window.id,
    })
    window.easycrm_save({"subject": subject, "body": "<p>Hello</p>"})
    env.cr.commit()
    return window


def add(draft, address="slipped@acme.example"):
    return draft.recipient_ids.create({"outgoing_id": draft.id, "address": address})


def change(draft):
    draft.recipient_ids.address = "slipped@acme.example"


def remove(draft):
    draft.recipient_ids.unlink()


def exchange(draft):
    draft.attachment_ids.raw = b"Slipped in"


def take_out(draft):
    draft.attachment_ids.unlink()


AS_READ = "queued", ["anna@acme.example"], [b"As it was read"]
PEOPLE = (add, change, remove)
FILES = (exchange, take_out)


def look_at(draft):
    env.cr.commit()
    env.invalidate_all()
    people = draft.recipient_ids.mapped("address")
    return draft.state, people, draft.attachment_ids.mapped("raw")


def crosses(late, function):
    try:
        function()
        late.cr.commit()
    except SerializationFailure:
        late.cr.rollback()
        late.invalidate_all()
        return True
    return False
"""

SENT_LATE = (
    PREPARE
    + """
for name in PEOPLE:
    window = write_one(name.__name__)
    draft = window.outgoing_id
    send, save = other(), other()
    name(draft.with_env(save))
    save.cr.commit()

    def press():
        window.with_env(send).easycrm_send({"subject": "Last"})

    assert crosses(send, press), f"{name.__name__}: who sends has overlooked it"
    press()
    send.cr.commit()
    assert look_at(draft) == AS_READ, look_at(draft)
    for one in (send, save):
        one.cr.close()
"""
)

SAVED_LATE = (
    PREPARE
    + """
for name in (*PEOPLE, *FILES):
    window = write_one(name.__name__)
    draft = window.outgoing_id
    save, send = other(), other()
    window.with_env(send).easycrm_send({})
    send.cr.commit()

    def touch():
        name(draft.with_env(save))

    assert crosses(save, touch), f"{name.__name__}: it slips in"
    try:
        touch()
        raise AssertionError(f"{name.__name__}: it is no draft any more")
    except UserError:
        save.cr.rollback()
    assert look_at(draft) == AS_READ, look_at(draft)
    for one in (send, save):
        one.cr.close()
"""
)


@pytest.fixture
def database():
    with cloned_database("send_races") as name:
        yield name


def test_who_sends_while_another_saves_sends_what_was_on_his_screen(database):
    run_odoo(database, SENT_LATE).wait_for_success()


def test_who_saves_while_another_sends_is_told(database):
    run_odoo(database, SAVED_LATE).wait_for_success()
