"""A mail that is to be sent, for the tests of sending by each service."""

from datetime import datetime, timezone

from easycrm_mail.messages import Draft

DATE = datetime(2026, 3, 4, 10, 30, 5, tzinfo=timezone.utc)
MESSAGE_ID = "<1.x@example.org>"
MB = 1 << 20


def draft(**kwargs) -> Draft:
    """A mail of the `sender`, and otherwise as wanted.

    :param kwargs: of `Draft`
    """
    values = {
        "message_id": MESSAGE_ID,
        "date": DATE,
        "to": (("Bob", "bob@example.org"),),
        "subject": "Hello",
        "html": "<p>Good morning</p>",
    }
    return Draft(**{**values, **kwargs})
