"""A gate that finds nothing is worth nothing: each is shown a fault, and says so."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg2
import pytest
from odoo_processes import needs_odoo

from dev import gates, node

ROOT = Path(__file__).parents[2]
INJECTION = """

def leak(cr, name):
    cr.execute(f"SELECT id FROM res_partner WHERE name = '{name}'")
"""
NUMBER = """
    <record id="nobody" model="res.partner">
        <field name="color">4</field>
    </record>
</odoo>
"""
TWICE = """
#. module: easycrm_mail
#: model:ir.model.fields,field_description:easycrm_mail.field_nobody__name
msgid "Twice"
msgstr ""

#. module: easycrm_mail
#: model:ir.model.fields,field_description:easycrm_mail.field_nobody__nickname
msgid "Twice"
msgstr ""
"""
MODEL = "easycrm_mail/models/secrets.py"
SCRIPT = "static/src/timeline/timeline_words.js"
TEMPLATE = "i18n/easycrm_mail.pot"
VIEW = "views/res_users_views.xml"
# The gate, the file, what is replaced (else added at its end) by what, what is said.
FAULTS = [
    ("ruff check", MODEL, "", "\nimport string\n", "F401"),
    ("ruff format", MODEL, "", "\nSINGLE = 'quoted'\n", MODEL),
    ("pylint-odoo", MODEL, "", INJECTION, "sql-injection"),
    ("eslint", SCRIPT, "", "\nnobodyKnows();\n", "no-undef"),
    ("eslint", SCRIPT, "", '\nlet fixed = "";\nexport {fixed};\n', "prefer-const"),
    ("prettier", SCRIPT, "", "\nexport const FIVE = { five: 5 }\n", SCRIPT),
    ("prettier", VIEW, "<odoo>", '<odoo  noupdate="1">', VIEW),
    ("OCA's hooks", VIEW, "</odoo>", NUMBER, "xml-field-numeric-without-eval"),
    ("OCA's hooks", TEMPLATE, "", TWICE, "po-duplicate-message-definition"),
]


@pytest.fixture(scope="module", autouse=True)
def tools():
    node.ensure()


@pytest.fixture
def addon(tmp_path):
    """A copy of what ships and of the gates' settings, without the tests."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in {*gates.SHIPPED, "pyproject.toml"} - {"tests"}:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def seed(addon, path, old, new):
    """Puts a fault in the place of `old`, or at the end."""
    file = addon / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text + new)


@pytest.mark.parametrize("gate,path,old,new,words", FAULTS)
def test_a_gate_finds_the_fault(addon, gate, path, old, new, words):
    seed(addon, path, old, new)

    assert words in gates.GATES[gate](addon)


def test_a_fault_is_tried_on_every_gate():
    assert {fault[0] for fault in FAULTS} == set(gates.GATES)


@needs_odoo
def test_the_gates_inside_odoo_find_the_faults(addon):
    seed(addon, MODEL, "", INJECTION)
    seed(addon, SCRIPT, "", "\nexport const said = (who) => _t(`Hello ${who}`);\n")
    seed(addon, SCRIPT, "", '\nexport const later = _t("Not in the template yet");\n')
    seed(addon, SCRIPT, "", "\nnobodyKnows();\n")
    database = f"{os.environ['EASYCRM_TEST_PREFIX']}gates"
    subprocess.run([os.environ["EASYCRM_DATABASE"], "clone", database], check=True)
    try:
        with psycopg2.connect(dbname=database) as connection:
            connection.cursor().execute("DROP INDEX easycrm_email_failure_ref_unique")
        connection.close()
        found = gates.inside(addon, database)
    finally:
        subprocess.run([os.environ["EASYCRM_DATABASE"], "drop", database], check=True)

    assert "Translation of a template string" in found["test_lint"]
    assert "SQL injection risk" in found["test_lint"]
    assert "'nobodyKnows' is not defined" in found["test_lint"]
    assert "easycrm.email.failure.account_id (inverse of" in found["test_lint"]
    assert "easycrm.email.folder.account_id" not in found["test_lint"]
    assert "missing: 'Not in the template yet'" in found["i18n"]
