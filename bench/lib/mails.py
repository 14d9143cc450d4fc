"""Believable mails for the benches."""

from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime

WORDS = [
    *("offer", "chairs", "delivery", "Monday", "thank", "you", "quantity", "invoice"),
    *("please", "find", "attached", "the", "table", "oak", "price", "list", "week"),
    *("order", "confirm", "Lieferung", "Angebot", "Stühle", "Grüße", "größer"),
]
START = datetime(2026, 10, 1, tzinfo=timezone.utc)


def make_mail(rng, number, contacts):
    """Return one mail of 2-60 kB: text and HTML, in one of three a PDF.

    :param int contacts: how many are known, as contact<n>@bench.example; seven mails
        in ten are from one of them
    """
    known = f"contact{rng.randrange(contacts)}@bench.example"
    sender = known if rng.random() < 0.7 else f"stranger{number}@elsewhere.example"
    return write_mail(rng, number, sender, ("contact", contacts))


def write_mail(rng, number, sender, others):
    """Return a mail like that of one sender.

    :param others: (name, count): of <name><n>@bench.example, two are in the Cc of two
        mails in five
    """
    mail = EmailMessage()
    mail["From"] = f"Contact {number} <{sender}>"
    mail["To"] = "Bench <bench@own.example>"
    if rng.random() < 0.4:
        name, count = others
        mail["Cc"] = ", ".join(
            f"{name}{rng.randrange(count)}@bench.example" for _ in range(2)
        )
    mail["Subject"] = " ".join(rng.choices(WORDS, k=6))
    mail["Date"] = format_datetime(START + timedelta(minutes=number))
    mail["Message-ID"] = f"<{number}@bench.example>"
    if number % 3:
        mail["References"] = f"<{number - number % 3}@bench.example>"
    text = " ".join(rng.choices(WORDS, k=rng.randrange(80, 900)))
    mail.set_content(text)
    mail.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")
    if rng.random() < 0.3:
        mail.add_attachment(
            rng.randbytes(rng.randrange(4_000, 30_000)),
            maintype="application",
            subtype="pdf",
            filename="offer.pdf",
        )
    return mail.as_bytes()


def make_small_mail(number, contacts):
    """Return a mail of some 500 bytes."""
    sender = f"contact{number % contacts}@bench.example"
    date = format_datetime(START + timedelta(seconds=number))
    return (
        f"From: Somebody <{sender}>\r\nTo: Small <small@own.example>\r\n"
        f"Subject: Small {number}\r\nDate: {date}\r\n"
        f"Message-ID: <small{number}@bench.example>\r\n\r\n"
        + f"This is number {number}. It says little.\r\n"
        * 6
    ).encode()
