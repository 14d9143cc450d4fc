"""The mails of the demo mailbox, a file a customer, as its story goes."""

from dataclasses import dataclass
from datetime import datetime

from ..mail import OWNER, Mail, compose
from . import (
    azure,
    customers,
    kaffeehaus,
    later,
    nordlicht,
    nordlicht_offer,
    sakura,
    strangers,
)

__all__ = ["OWNER", "due"]

FILES = (
    nordlicht,
    nordlicht_offer,
    sakura,
    kaffeehaus,
    azure,
    customers,
    strangers,
    later,
)
MAILS: dict[str, Mail] = {mail.key: mail for file in FILES for mail in file.MAILS}


@dataclass(frozen=True)
class DueMail:
    """A mail whose time has come, in a mailbox that was made at `base`."""

    mail: Mail
    base: datetime

    @property
    def key(self) -> str:
        return self.mail.key

    @property
    def folder(self) -> str:
        return self.mail.folder

    @property
    def is_read(self) -> bool:
        return not self.mail.is_unread

    @property
    def date(self) -> datetime:
        return self.mail.date(self.base)

    @property
    def raw(self) -> bytes:
        return compose(self.mail, _past(self.mail), self.base)


def due(base: datetime) -> list[DueMail]:
    """The mails that have arrived by now, the oldest first."""
    now = datetime.now().astimezone()
    mails = [DueMail(mail, base) for mail in MAILS.values()]
    return sorted(
        (mail for mail in mails if mail.date <= now), key=lambda mail: mail.date
    )


def _past(mail: Mail) -> list[Mail]:
    """The mails that it answers, the first of the conversation first."""
    past: list[Mail] = []
    while mail.answers:
        mail = MAILS[mail.answers]
        past.insert(0, mail)
    return past
