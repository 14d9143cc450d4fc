"""Where things are: all that is made stays in `.odoo`, `.venv` and `.cache`."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ODOO = ROOT / ".odoo"
"""Odoo itself, its addons path, its configuration and its data directory."""
ADDONS = ODOO / "addons"
CONF = ODOO / "odoo.conf"
DATA = ODOO / "data"
LAUNCHER = ODOO / "bin" / "odoo"

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

LINT = ROOT / "dev" / "lint"
"""The settings of the gates, and the tools of JavaScript in `node_modules`."""

CACHE = ROOT / ".cache"
LOGS = CACHE / "logs"
LOCKS = CACHE / "locks"
MAILBOX = CACHE / "demo-mailbox"

CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]
"""Tells this checkout's databases from those of another one on the same PostgreSQL."""
