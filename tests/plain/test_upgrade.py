"""A database of an earlier version, with mail in it, is brought up to this one."""

import psycopg2
import pytest
from odoo_processes import cloned_database, command_odoo, needs_odoo, query

pytestmark = needs_odoo

HELPERS = """
from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage

def deliver(account, number, sender):
    raw = (
        f"From: {sender}\\r\\nTo: mira@own.example\\r\\nSubject: Grüße {number}\\r\\n"
        f"Date: Tue, 4 Mar 2025 10:0{number}:00 +0000\\r\\n"
        f"Message-ID: <{number}@upgrade.example>\\r\\nMIME-Version: 1.0\\r\\n"
        "Content-Type: multipart/mixed; boundary=x\\r\\n\\r\\n--x\\r\\n\\r\\n"
        "See nordlicht.example\\r\\n--x\\r\\nContent-Type: application/pdf\\r\\n"
        "Content-Disposition: attachment; filename=a.pdf\\r\\n\\r\\nx\\r\\n--x--\\r\\n"
    ).encode()
    read = Read(RemoteMessage(f"1:{number}", raw, True), parse(raw))
    ids = Ingest(account, "INBOX").store([read])
    return env["easycrm.email"].browse(ids)

def names(email):
    return sorted(email.link_ids.partner_id.mapped("name"))
"""

FILL = """
env["res.partner"].create([
    {"name": "Anna", "email": "anna@bücher.example"},
    {"name": "Carl", "email": "carl@acme.example"},
    {"name": "Otto", "email": "otto@bücher.example"},
    {"name": "Twice", "email": "twice@bücher.example"},
])
Account = env["easycrm.email.account"]
mira = Account.create({"email": "mira@own.example", "alias_emails": "m@own.example"})
Account.create([{"email": "team@bücher.example"}, {"email": "team@own.example"}])
env.cr.flush()
assert names(deliver(mira, 1, "anna@xn--bcher-kva.example")) == ["Anna"]
assert names(deliver(mira, 2, "carl@acme.example")) == ["Carl"]
deliver(mira, 3, "otto@xn--bcher-kva.example")
deliver(mira, 4, "nobody@acme.example")
env["easycrm.email.failure"].create([
    {"account_id": mira.id, "stream": "INBOX", "provider_ref": "1:8", "attempts": 1,
     "error": "The email is larger than 25 MB (40 MB)."},
    {"account_id": mira.id, "stream": "INBOX", "provider_ref": "1:9", "attempts": 1,
     "error": "The email cannot be read."},
])
env.cr.commit()
"""

#: What 19.0.1.0.0 had otherwise, and how it stored these.
AS_OF_1_0 = r"""
UPDATE ir_module_module SET latest_version = '19.0.1.0.0'
    WHERE name = 'easycrm_mail';

DROP TABLE easycrm_email_provisional, easycrm_email_thread_keeper_rel;
ALTER TABLE easycrm_email RENAME has_files TO has_attachments;
ALTER TABLE easycrm_email
    DROP fetch_at, DROP fetch_attempts, DROP headers_only, DROP size;
ALTER TABLE easycrm_email_account DROP unlinked_keep;
ALTER TABLE easycrm_email_attachment DROP checksum;
ALTER TABLE easycrm_email_content DROP search_vector;
ALTER TABLE easycrm_email_content ADD search_vector tsvector GENERATED ALWAYS AS (
    to_tsvector('simple', left(translate(regexp_replace(
        left(coalesce(subject, '') || ' ' || coalesce(body_text, ''), 100000),
        '(\S{200})', '\1 ', 'g'), '<', ' '), 100000))) STORED;
CREATE INDEX easycrm_email_content_search_vector_index
    ON easycrm_email_content USING gin (search_vector);

UPDATE easycrm_email_participant SET address = 'anna@xn--bcher-kva.example'
    WHERE address = 'anna@bücher.example';
UPDATE easycrm_email_participant SET address = 'otto@xn--bcher-kva.example'
    WHERE address = 'otto@bücher.example';
UPDATE easycrm_email_copy SET from_address = 'anna@xn--bcher-kva.example'
    WHERE from_address = 'anna@bücher.example';
UPDATE easycrm_email_link SET address = 'anna@xn--bcher-kva.example'
    WHERE address = 'anna@bücher.example';
-- Anna was entered as mail has her; Otto as people write him, and got no mail
UPDATE easycrm_email_address SET address = 'anna@xn--bcher-kva.example'
    WHERE address = 'anna@bücher.example';
DELETE FROM easycrm_email_link WHERE address = 'otto@bücher.example';
UPDATE easycrm_email_address SET look_again_at = NULL;
INSERT INTO easycrm_email_address (partner_id, address, source)
    SELECT partner_id, 'twice@xn--bcher-kva.example', source
    FROM easycrm_email_address WHERE address = 'twice@bücher.example';
-- a mailbox that is connected in both spellings
UPDATE easycrm_email_account SET email = 'team@xn--bcher-kva.example'
    WHERE email = 'team@own.example';
UPDATE easycrm_email_account
    SET email = 'mira@xn--bcher-kva.example',
        alias_emails = 'm@xn--bcher-kva.example,m@own.example'
    WHERE email = 'mira@own.example';
"""

#: After the upgrade: what the scripts of this version have done.
STANDS = {
    "SELECT count(*), count(search_vector) FROM easycrm_email_content": [(4, 4)],
    """SELECT count(*) FROM easycrm_email_content
       WHERE search_vector @@ 'grusse & nordlicht'""": [(4,)],
    "SELECT count(*), count(fetch_at) FROM easycrm_email": [(4, 4)],
    "SELECT count(*) FROM easycrm_email WHERE has_files": [(4,)],
    "SELECT DISTINCT unlinked_keep FROM easycrm_email_account": [("full",)],
    "SELECT provider_ref, retry FROM easycrm_email_failure ORDER BY 1": [
        ("1:8", True),
        ("1:9", None),
    ],
    "SELECT address FROM easycrm_email_participant WHERE address LIKE '%xn--%'": [],
    "SELECT from_address FROM easycrm_email_copy ORDER BY email_id": [
        ("anna@bücher.example",),
        ("carl@acme.example",),
        ("otto@bücher.example",),
        ("nobody@acme.example",),
    ],
    "SELECT address FROM easycrm_email_link ORDER BY email_id": [
        ("anna@bücher.example",),
        ("carl@acme.example",),
    ],
    """SELECT address, look_again_at <= now() AT TIME ZONE 'UTC'
       FROM easycrm_email_address WHERE address LIKE '%.example' ORDER BY 1""": [
        ("anna@bücher.example", True),
        ("carl@acme.example", None),
        ("otto@bücher.example", True),
        ("twice@bücher.example", True),
    ],
    "SELECT email, alias_emails FROM easycrm_email_account ORDER BY 1": [
        ("mira@bücher.example", "m@bücher.example,m@own.example"),
        ("team@bücher.example", None),
        ("team@xn--bcher-kva.example", None),
    ],
}

#: And what people see of it.
USE = """
env["easycrm.email.address"]._match_due()
mira = env["easycrm.email.account"].search([("email", "=", "mira@bücher.example")])
by_name = {p.name: p for p in env["res.partner"].search(
    [("email", "like", "bücher.example")])}
assert by_name["Anna"].easycrm_email_count == 1
assert by_name["Otto"].easycrm_email_count == 1, "what 1.0 has missed"
assert names(deliver(mira, 5, "anna@xn--bcher-kva.example")) == ["Anna"]
assert names(deliver(mira, 6, "otto@xn--bcher-kva.example")) == ["Otto"]
assert names(deliver(mira, 7, "twice@xn--bcher-kva.example")) == ["Twice"]
by_name["Anna"].email = "anna@acme.example"
env.cr.flush()
assert not by_name["Anna"].easycrm_email_count, "links leave with their address"
"""


@pytest.fixture
def database():
    with cloned_database("upgrade") as name:
        command_odoo(name, "shell", "--no-http", script=HELPERS + FILL)
        with psycopg2.connect(dbname=name) as connection:
            connection.cursor().execute(AS_OF_1_0)
        connection.close()
        yield name


def test_from_1_0(database):
    command_odoo(
        database, "server", "--stop-after-init", "-u", "easycrm_mail", "--no-http"
    )
    version = "SELECT latest_version FROM ir_module_module WHERE name = 'easycrm_mail'"
    assert query(database, version) != [("19.0.1.0.0",)]
    for statement, rows in STANDS.items():
        assert query(database, statement) == rows, statement
    command_odoo(database, "shell", "--no-http", script=HELPERS + USE)
