"""What is fetched of single mails, over the network: no record is touched here."""

import hashlib
import tempfile
from contextlib import contextmanager

from odoo.tools import config

from ..messages import LargeMail
from ..providers import Gone


def read_large(provider, stream, ref):
    """Read a mail, whatever its size, at the cost of a buffer.

    :return: (the whole as a Message, its header as a Message)
    """
    with _downloaded(provider, stream, ref) as file:
        mail = LargeMail(file)
        return mail.parse(), mail.parse_headers()


def fetch_files(provider, stream, ref, digest, checksums):
    """Fetch attachments of one mail, each by itself where the mailbox can.

    A part that is not what it was when the mail was read is looked for in the whole.

    :param str digest: what the mail is known by
    :param dict checksums: {part: SHA-256 of its bytes, or None}
    :return: {part: bytes}
    :raise Gone: another mail stands there
    """
    known = [part for part, checksum in checksums.items() if checksum]
    files = provider.fetch_parts(stream, ref, known) if known else {}
    files = {
        part: content
        for part, content in files.items()
        if hashlib.sha256(content).hexdigest() == checksums[part]
    }
    if missing := checksums.keys() - files:
        with _downloaded(provider, stream, ref) as file:
            mail = LargeMail(file)
            if mail.parse().digest != digest:
                raise Gone("mail")
            files.update((part, mail.extract_part(part)) for part in missing)
    return files


@contextmanager
def _downloaded(provider, stream, ref):
    # (/tmp may be memory)
    with tempfile.TemporaryFile(dir=config["data_dir"]) as file:
        provider.download(stream, ref, file)
        yield file
