"""Kaffeehaus Union in Berlin: six branches. Lena Hartmann is a contact; her purchasing and
accounting write from addresses that nobody has entered, so their mail waits unlinked.
"""

from ..files import logo, pdf, photo, sheet
from ..mail import Mail
from ..people import ACCOUNTS, LENA, MIRA, MITCHELL, WENDT

LOGO = logo("kaffeehaus-union.png", "Kaffeehaus Union", (110, 60, 40), "logo@union")

MAILS = [
    Mail(
        "ku-1",
        "58d 13:20",
        LENA,
        [MITCHELL],
        "Bestuhlung 6 Filialen",
        """
        Hallo Mitchell,

        wir bauen bis zum Frühjahr sechs Filialen um und suchen eine Bestuhlung, die in
        allen gleich aussieht: Stapelstühle, Barhocker, ein paar Bänke. Können wir dazu
        nächste Woche telefonieren?

        Viele Grüße
        """,
        style="apple",
        inline=[LOGO],
    ),
    Mail(
        "ku-2",
        "57d 09:32",
        MITCHELL,
        [LENA],
        "Re: Bestuhlung 6 Filialen",
        """
        Hallo Frau Hartmann,

        sehr gern. Dienstag um 10 Uhr? Mira Okafor wäre dabei, sie betreut bei uns die
        großen Projekte.

        Viele Grüße
        """,
        cc=[MIRA],
        answers="ku-1",
    ),
    Mail(
        "ku-3",
        "57d 10:05",
        LENA,
        [MITCHELL],
        "Re: Bestuhlung 6 Filialen",
        "Dienstag um 10 passt. Die Grundrisse schicke ich vorher.",
        cc=[MIRA],
        answers="ku-2",
        style="apple",
    ),
    Mail(
        "ku-plans",
        "54d 16:44",
        LENA,
        [MIRA],
        "Grundrisse Prenzlauer Berg und Moabit",
        """
        Hallo Frau Okafor,

        hier die ersten beiden Grundrisse. Steglitz folgt, da streiten wir noch mit dem
        Vermieter über eine Säule.
        """,
        cc=[MITCHELL],
        attachments=[
            pdf(
                "Grundriss_Prenzlauer_Berg.pdf",
                "Prenzlauer Berg",
                "62 Plätze",
                plan=True,
            ),
            pdf("Grundriss_Moabit.pdf", "Moabit", "48 Plätze", plan=True),
        ],
    ),
    Mail(
        "ku-offer",
        "36d 17:12",
        MITCHELL,
        [LENA],
        "Angebot Bestuhlung 6 Filialen (S04098)",
        """
        Hallo Frau Hartmann,

        anbei unser Angebot über alle sechs Filialen, mit einer Staffel ab der vierten.
        Die Mengen pro Filiale stehen in der Tabelle, damit Ihr Einkauf sie verschieben
        kann.

        Viele Grüße
        """,
        cc=[MIRA],
        attachments=[
            pdf(
                "Angebot_S04098.pdf", "Angebot S04098", "Sechs Filialen, 48.600,00 EUR"
            ),
            sheet(
                "Mengen.xlsx",
                "Mengen",
                ["Filiale", "Stapelstühle", "Barhocker"],
                ["Prenzlauer Berg", 62, 6],
                ["Moabit", 48, 4],
                ["Steglitz", 40, 8],
            ),
        ],
    ),
    Mail(
        "ku-offer-2",
        "30d 11:26",
        LENA,
        [MITCHELL],
        "AW: Angebot Bestuhlung 6 Filialen (S04098)",
        """
        Hallo Mitchell,

        das Angebot gefällt uns. Die Mengen klärt ab jetzt unser Einkauf mit Ihnen, Herr
        Wendt; ich lese mit.

        Zur Terrasse 2027 melde ich mich im neuen Jahr.
        """,
        cc=[MIRA],
        answers="ku-offer",
        style="outlook",
    ),
    Mail(
        "ku-chair",
        "14d 08:50",
        WENDT,
        [MITCHELL],
        "Musterstuhl Rückgabe",
        """
        Guten Tag,

        der Musterstuhl steht abholbereit an der Rampe. Bitte nennen Sie uns ein Datum.

        Mit freundlichen Grüßen
        """,
        style="outlook",
    ),
    Mail(
        "ku-invoice",
        "11d 07:36",
        ACCOUNTS,
        [MITCHELL],
        "Ihre Rechnung RE-2211",
        """
        Sehr geehrte Damen und Herren,

        wir haben die Rechnung an die Buchhaltung gegeben. Bitte nennen Sie künftig
        unsere Bestellnummer, sonst verzögert sich die Zahlung.

        Kaffeehaus Union GmbH, Kreditoren
        """,
        style="plain",
        attachments=[pdf("RE-2211.pdf", "Rechnung RE-2211", "Musterstuhl, 189,00 EUR")],
    ),
    Mail(
        "ku-dates",
        "1d 15:44",
        WENDT,
        [MITCHELL],
        "Liefertermine KW 3 bis KW 7",
        """
        Guten Tag,

        können Sie die drei Etappen so bestätigen? KW 3 Prenzlauer Berg und Moabit, KW 5
        Steglitz und Mitte, KW 7 der Rest.

        Mit freundlichen Grüßen
        """,
        style="outlook",
        is_unread=True,
    ),
    Mail(
        "ku-plan-1",
        "150m",
        WENDT,
        [MITCHELL],
        "AW: Bestuhlungspläne Filialen",
        """
        Noch ein Nachtrag zu Steglitz: Die Theke wird 40 cm länger, zwei Barhocker mehr.

        Mit freundlichen Grüßen
        """,
        style="outlook",
        is_unread=True,
    ),
    Mail(
        "ku-plan-2",
        "70m",
        WENDT,
        [MITCHELL],
        "Bestuhlungspläne Filialen, 2. Stand",
        """
        Guten Tag,

        anbei wie besprochen die Bestuhlungspläne für die Filialen Prenzlauer Berg,
        Moabit und Steglitz. In Steglitz fällt eine Säule weg, daher dort vier Stühle
        mehr als im ersten Entwurf.

        Bitte bieten Sie uns bis Freitag neu an:

        1. 124 Stapelstühle Eiche, geölt
        2. 18 Barhocker 65 cm
        3. Lieferung in drei Etappen ab KW 3

        Rechnungsadresse bleibt die Zentrale.

        Mit freundlichen Grüßen
        """,
        answers="ku-plan-1",
        style="outlook",
        is_unread=True,
        attachments=[
            pdf(
                "Bestuhlung_Filialen_v2.pdf",
                "Bestuhlung, 2. Stand",
                "124 Stühle",
                plan=True,
            ),
            sheet(
                "Mengen.xlsx",
                "Mengen",
                ["Filiale", "Stapelstühle", "Barhocker"],
                ["Prenzlauer Berg", 44, 6],
                ["Moabit", 36, 4],
                ["Steglitz", 44, 8],
            ),
        ],
    ),
    Mail(
        "ku-terrace",
        "8d 12:00",
        LENA,
        [MITCHELL],
        "Foto: die Terrasse in Mitte",
        """
        Hallo Mitchell,

        damit Sie es sich für 2027 vorstellen können: So sieht die Terrasse heute aus.
        Es kann nur besser werden.
        """,
        style="apple",
        inline=[
            photo(
                "Terrasse.jpeg", "Terrasse Mitte, Nordseite", (92, 112, 84), "t1@union"
            )
        ],
    ),
]
