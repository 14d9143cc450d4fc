"""Who writes in the demo mailbox; the contacts among them are in `demo/`."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")
CALIFORNIA = ZoneInfo("America/Los_Angeles")


@dataclass(frozen=True)
class Person:
    """A name and an address, and what stands below their mails."""

    name: str
    address: str
    signature: str = ""
    zone: ZoneInfo = BERLIN

    @property
    def domain(self) -> str:
        return self.address.split("@")[1]


# Tallwood Furniture: us.
MITCHELL = Person(
    "Mitchell Admin",
    "mitchell@tallwood.example",
    "Mitchell Admin\nTallwood Furniture · Sales\n+49 30 5550 2101",
)
MIRA = Person(
    "Mira Okafor",
    "mira@tallwood.example",
    "Mira Okafor\nTallwood Furniture · Key Accounts",
)
JONAS = Person(
    "Jonas Keller",
    "jonas@tallwood.example",
    "Jonas Keller\nTallwood Furniture · Logistics",
)

# Contacts of the addon's own demo data.
ANNA = Person(
    "Anna Berg",
    "anna.berg@nordlicht-hotels.example",
    "Anna Berg\nHead of Facilities\nNordlicht Hotels GmbH\n"
    "Große Elbstraße 68, 22767 Hamburg\n+49 40 5550 1482",
)
HENRIK = Person(
    "Henrik Voss",
    "h.voss@nordlicht-hotels.example",
    "Henrik Voss\nTechnik und Einkauf\nNordlicht Hotels GmbH",
)
SATO = Person(
    "佐藤 健一",
    "k.sato@sakura-design.example",
    "佐藤 健一\n株式会社サクラデザイン 購買部\n"
    "〒107-0062 東京都港区南青山\nTel. 03-5550-0142",
    TOKYO,
)
LENA = Person(
    "Lena Hartmann",
    "lena.hartmann@kaffeehaus-union.example",
    "Lena Hartmann\nLeitung Filialausbau\n"
    "Kaffeehaus Union GmbH, Torstraße 140, 10119 Berlin",
)
OLE = Person(
    "Ole Brandt",
    "ole@union-coworking.example",
    "Ole Brandt\nUnion Coworking, Leipzig",
)
CLAIRE = Person(
    "Claire Dubois",
    "claire.dubois@atelier-lumiere.example",
    "Claire Dubois\nAtelier Lumière, Lyon",
)

# Contacts, leads and opportunities of Odoo's own demo data.
BRANDON = Person(
    "Brandon Freeman",
    "brandon.freeman55@example.com",
    "Brandon Freeman\nCreative Director, Azure Interior",
    CALIFORNIA,
)
NICOLE = Person(
    "Nicole Ford",
    "nicole.ford75@example.com",
    "Nicole Ford\nDirector, Azure Interior",
    CALIFORNIA,
)
WILLIE = Person(
    "Willie Burke", "willie.burke80@example.com", "Willie Burke\nWood Corner"
)
DUNAGAN = Person(
    "Jacques Dunagan",
    "jdunagan@leclub.example.com",
    "Jacques Dunagan\nLe Club SARL, Paris",
)
HELLE = Person(
    "Carrie Helle", "helle@stonageit.example.com", "Carrie Helle\nStonage IT"
)
MCENCROE = Person(
    "Will McEncroe", "willmac@rediffmail.example.com", "Will McEncroe, Melbourne"
)

# Nobody that the database knows.
WENDT = Person(
    "Einkauf Kaffeehaus Union",
    "einkauf@kaffeehaus-union.example",
    "Tobias Wendt\nEinkauf · Kaffeehaus Union GmbH · Torstraße 140, 10119 Berlin\n"
    "Tel. +49 30 5550 7120",
)
ACCOUNTS = Person(
    "Buchhaltung Kaffeehaus Union", "buchhaltung@kaffeehaus-union.example"
)
TANAKA = Person(
    "田中 美咲",
    "misaki.tanaka@hoshi-cafe.example",
    "田中 美咲\n星カフェ 京都店",
    TOKYO,
)
RUI = Person("Rui Pereira", "rui@pereira-arquitetos.example", "Rui Pereira, arquiteto")
PARCEL = Person("Paketdienst", "noreply@paketdienst.example")
SOPHIE = Person(
    "Sophie Lindqvist",
    "sophie@lindqvist-inredning.example",
    "Sophie Lindqvist\nLindqvist Inredning, Göteborg",
)
BAKEHOUSE = Person(
    "Bakehouse Collective",
    "hello@bakehouse-collective.example",
    "Ines, Bakehouse Collective",
)
PRIYA = Person("Priya Raman", "p.raman@lotus-stays.example", "Priya Raman\nLotus Stays")
NEWS = Person("Möbelmarkt Briefing", "briefing@moebelmarkt-news.example")
DAEMON = Person("Mail Delivery System", "mailer-daemon@tallwood.example")
