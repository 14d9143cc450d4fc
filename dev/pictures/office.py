"""More mailboxes of the demo company, for the pictures: a few months of daily mail, by
chance, but the same chance every time.
"""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from ..demo import people
from ..demo.mail import Mail, compose
from ..demo.mailbox import Dovecot
from ..demo.people import Person

PASSWORD = "office"
DAYS = 118

INFO = Person("Tallwood Furniture", "info@tallwood.example")
SHOWROOM = Person("Tallwood Showroom", "showroom@tallwood.example")
WORKSHOP = Person("Tallwood Workshop", "workshop@tallwood.example")

#: Whose mailbox it is, and how many mails a working day it gets.
BOXES = {people.MIRA: 8, people.JONAS: 10, INFO: 14, SHOWROOM: 6, WORKSHOP: 4}

CUSTOMERS = [
    people.BRANDON,
    people.NICOLE,
    people.WILLIE,
    people.DUNAGAN,
    people.HELLE,
    people.MCENCROE,
    people.LENA,
    people.SATO,
    people.OLE,
    people.CLAIRE,
    *(
        Person(name, f"{name.lower().replace(' ', '.')}{number}@example.com")
        for name, number in {
            "Addison Olson": 28,
            "Billy Fox": 45,
            "Chester Reed": 79,
            "Colleen Diaz": 83,
            "Douglas Fletcher": 51,
            "Dwayne Newman": 28,
            "Edith Sanchez": 68,
            "Edwin Hansen": 58,
            "Floyd Steward": 34,
            "Gordon Owens": 47,
            "Jesse Brown": 74,
            "Julie Richards": 84,
            "Kim Snyder": 96,
            "Lorraine Douglas": 35,
            "Oscar Morgan": 11,
            "Ron Gibson": 76,
            "Sandra Neal": 80,
            "Soham Palmer": 15,
            "Theodore Gardner": 36,
            "Tom Ruiz": 89,
            "Toni Rhodes": 11,
            "Travis Mendoza": 24,
        }.items()
    ),
]
STRANGERS = [
    people.RUI,
    people.SOPHIE,
    people.PRIYA,
    people.TANAKA,
    *(
        Person(f"{first} {last}", f"{first.lower()}@{last.lower()}-{trade}.example")
        for first, last, trade in (
            ("Ida", "Sommer", "interiors"),
            ("Marek", "Nowak", "bistro"),
            ("Aoife", "Byrne", "hotels"),
            ("Luca", "Ferri", "studio"),
            ("Noor", "Haddad", "events"),
            ("Elin", "Dahl", "cafe"),
            ("Pablo", "Rojas", "contract"),
            ("Grace", "Mbeki", "lodges"),
        )
    ),
]
PRIVATE = [
    Person("Elbe Bank", "service@elbe-bank.example"),
    Person("Praxis Dr. Lindner", "praxis@dr-lindner.example"),
    Person("Kita Sonnenschein", "team@kita-sonnenschein.example"),
]
MACHINES = [people.NEWS, people.PARCEL]
MACHINE = {"Auto-Submitted": "auto-generated", "Precedence": "bulk"}
SUBJECTS = (
    "Offer for the terrace",
    "Delivery in week {week}",
    "Fabric samples",
    "Invoice and payment",
    "Chairs for the new branch",
    "Appointment on site",
    "Spare parts for the oak table",
    "Colours of the spring range",
)
TEXT = "Thank you for your mail. You find all that we spoke about below."


def fill(server: Dovecot, base: datetime) -> None:
    """Delivers what each of the mailboxes has got by now, the oldest first."""
    for owner, pace in BOXES.items():
        for mail in _mails(owner, pace, base):
            server.deliver(
                owner.address,
                compose(mail, [], base),
                folder="Sent" if mail.sender is owner else "INBOX",
                seen=True,
                received=mail.date(base),
            )


def _mails(owner: Person, pace: int, base: datetime) -> Iterator[Mail]:
    chance = Random(owner.address)
    for day in range(DAYS, -1, -1):
        weekday = (base.toordinal() - day) % 7  # 0 is a Sunday
        count = chance.randint(pace // 2, pace * 3 // 2)
        for number in range(count if 0 < weekday < 6 else count // 6):
            mail = _mail(owner, day, number, chance)
            if mail.date(base) <= base:
                yield mail


def _mail(owner: Person, day: int, number: int, chance: Random) -> Mail:
    colleagues = [
        one for one in (people.MIRA, people.JONAS, people.MITCHELL) if one is not owner
    ]
    (group,) = chance.choices(
        (CUSTOMERS, STRANGERS, colleagues, MACHINES, PRIVATE), (42, 30, 13, 11, 4)
    )
    other = chance.choice(group)
    is_sent = group in (CUSTOMERS, colleagues) and chance.random() < 0.4
    sender, receiver = (owner, other) if is_sent else (other, owner)
    subject = chance.choice(SUBJECTS).format(week=1 + chance.randrange(52))
    clock = f"{chance.randint(8, 17):02}:{chance.randint(0, 59):02}"
    return Mail(
        f"{owner.address.split('@')[0]}-{day}-{number}",
        f"{day}d {clock}",
        sender,
        [receiver],
        subject,
        TEXT,
        style="plain",
        headers=MACHINE if group is MACHINES else {},
    )
