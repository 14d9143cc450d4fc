"""Secrets at rest: encrypted with a key that is not in the database.

The key comes from `easycrm_mail_key` in odoo.conf or EASYCRM_MAIL_KEY in the
environment; where there is none, one is made once in the data directory. Several keys,
separated by commas, let one be changed: the first encrypts, all decrypt.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config


class UnknownKey(Exception):
    """The secret was encrypted with a key that is not here, or the key is none."""


def encrypt(secret):
    """Return the text encrypted, as text."""
    return _get_cipher().encrypt(secret.encode()).decode()


def decrypt(token):
    """Return what `encrypt` was given.

    :raise UnknownKey: none of the keys fits
    """
    try:
        return _get_cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnknownKey from None


def _get_cipher():
    keys = os.environ.get("EASYCRM_MAIL_KEY") or config.get("easycrm_mail_key")
    if not keys:
        keys = _get_own_key(Path(config["data_dir"], "easycrm_mail.key"))
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
    except ValueError:
        # never the text of it: it may be somebody's real key with a typing error
        raise UnknownKey from None


def _get_own_key(path):
    """Return the key kept in that file, made once and readable by its owner only."""
    if not path.exists():
        _make_own_key(path)
    return path.read_text()


def _make_own_key(path):
    # Written aside under a name of its own, and linked: of two threads or workers that
    # start at once, one makes the key, and nobody ever reads half of it.
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
