"""Runs inside Odoo: its own `test_lint` on our addon, and the template of translations.

Writes what they found, by gate, to the JSON file that its first argument names; with a
second argument it writes the template there instead.
"""

import io
import json
import logging
import os
import sys
from pathlib import Path
from unittest.mock import patch

import polib

from odoo.modules import Manifest
from odoo.tests.loader import get_module_test_cases, get_test_modules, run_suite
from odoo.tests.suite import OdooSuite
from odoo.tools import config
from odoo.tools.misc import file_path
from odoo.tools.translate import trans_export

from odoo.addons.test_lint.tests import (
    test_eslint,
    test_index,
    test_pofile,
    test_pylint,
)

env = env  # noqa: F821, PLW0127 - given by Odoo's shell

ADDON = "easycrm_mail"
OURS = Manifest.for_addon(ADDON)
LEFT_OUT = {
    "test_checkers",  # tests pylint's extensions themselves, no addon
    "test_docstring",  # has a list of its own of the modules that it looks at
    "test_markers",  # reads all of Odoo; ruff and prettier refuse such a mark too
    "test_eslint",  # these two: below
    "test_pylint",
}


class TestESLint(test_eslint.TestESLint):
    def test_eslint(self):
        """Without the second run, for the point of sale: we have no file for that."""
        self._test_eslint([ADDON], file_path("test_lint/tests/eslintrc"))


class TestPyLint(test_pylint.TestPyLint):
    def test_pylint(self):
        """On the models: on the tests it takes long, and nobody attacks those."""
        inner = str(Path(OURS.path, ADDON))
        # Odoo's pylint does not know the names of pylint-odoo's checks.
        with (
            patch.object(Manifest, "all_addon_manifests", list),
            patch.object(config, "root_path", inner),
            patch.object(test_pylint.os, "devnull", os.environ["EASYCRM_PYLINTRC"]),
        ):
            super().test_pylint()


class Findings(logging.Handler):
    """Keeps what test_lint says; a warning is a finding too."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def test_lint() -> str:
    """Odoo's tests of all addons, held to ours: the rest is Odoo's own business."""
    cases = [TestESLint("test_eslint"), TestPyLint("test_pylint")]
    for module in get_test_modules("test_lint"):
        if module.__name__.rsplit(".", 1)[1] not in LEFT_OUT:
            cases += get_module_test_cases(module)
    findings = Findings()
    # The tests' own logger, and this script's, which is that of its two classes.
    loggers = [logging.getLogger(n) for n in ("odoo.addons.test_lint", __name__)]
    with (
        patch.object(Manifest, "all_addon_manifests", lambda: [OURS]),
        patch.object(test_pofile, "get_modules", lambda: [ADDON]),
        patch.object(test_index, "BTREE_INDEX_IGNORE_FIELDS", indexed()),
    ):
        for logger in loggers:
            logger.addHandler(findings)
        result = run_suite(OdooSuite(cases))
    if result.skipped or result.testsRun < len(cases):
        findings.texts.append(f"Not all of test_lint ran: {result}")
    if not result.wasSuccessful() and not findings.texts:
        findings.texts.append(str(result))
    return "\n".join(findings.texts)


def indexed() -> set[str]:
    """The fields that an index begins with, so that one of their own would only cost:
    test_lint looks at the fields' declarations, Odoo's list of exceptions is by hand.
    """
    env.cr.execute(
        """
        SELECT c.relname, a.attname
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indrelid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
         WHERE c.relname LIKE 'easycrm%'
           AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid)
                = '(' || a.attname || ' IS NOT NULL)')
        """
    )
    models = {model._table: name for name, model in env.registry.items()}
    found = {f"{models.get(table)}.{column}" for table, column in env.cr.fetchall()}
    return test_index.BTREE_INDEX_IGNORE_FIELDS | found


def template() -> bytes:
    """The terms of our addon as Odoo exports them."""
    buffer = io.BytesIO()
    trans_export(None, [ADDON], buffer, "po", env)
    return buffer.getvalue()


def i18n() -> str:
    """What of the terms is not in the template that ships, and the other way round."""
    shipped = Path(OURS.path, "i18n", f"{ADDON}.pot")
    wanted, there = terms(template().decode()), terms(shipped.read_text())
    lines = [f"missing: {text!r} of {place}" for text, place in sorted(wanted - there)]
    lines += [f"no more: {text!r} of {place}" for text, place in sorted(there - wanted)]
    return "\n".join(lines + ["To mend it: make pot"] * bool(lines))


def terms(text: str) -> set[tuple[str, str]]:
    return {
        (entry.msgid, place)
        for entry in polib.pofile(text)
        for place, _line in entry.occurrences
    }


if len(sys.argv) > 2:
    Path(sys.argv[2]).write_bytes(template())
else:
    found = {"test_lint": test_lint(), "i18n": i18n()}
    Path(sys.argv[1]).write_text(json.dumps(found))
