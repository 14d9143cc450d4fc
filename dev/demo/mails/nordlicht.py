"""Nordlicht Hotels in Hamburg: samples, a showroom, a narrow lift, and lunch."""

from ..files import invitation, pdf, photo, sheet
from ..mail import Mail
from ..people import ANNA, HENRIK, JONAS, MIRA, MITCHELL
from .nordlicht_offer import LOGO, NEWSROOM

MAILS = [
    Mail(
        "nl-first",
        "76d 10:14",
        ANNA,
        [MITCHELL],
        "Chairs for our new restaurant at the harbour",
        """
        Dear Mitchell,

        we met at the hospitality fair in Cologne. Our house in Hamburg gets a
        restaurant on the ground floor next spring and I am looking for about 40 chairs
        that can be stacked, survive a season by the water and still look like somebody
        chose them.

        Would you have a catalogue, and a rough idea of the price?
        """,
    ),
    Mail(
        "nl-first-2",
        "76d 15:40",
        MITCHELL,
        [ANNA],
        "Re: Chairs for our new restaurant at the harbour",
        """
        Dear Anna,

        of course I remember, you tried every chair of the stand twice. The catalogue is
        attached; for a terrace by the water I would look at page 14, the Fjord in oiled
        oak. For 40 pieces it is somewhere between 180 and 210 euros each.

        Shall I send a sample?
        """,
        answers="nl-first",
        attachments=[
            pdf(
                "Tallwood_Catalogue.pdf",
                "Tallwood Furniture",
                "Page 14: Fjord, stacking chair in oiled oak",
                "Page 15: Fjord with armrests",
                "Page 22: Skerry, bar stool 65 and 75 cm",
            )
        ],
    ),
    Mail(
        "nl-first-3",
        "75d 09:05",
        ANNA,
        [MITCHELL],
        "Re: Chairs for our new restaurant at the harbour",
        """
        Yes please, one Fjord in oak and one in the darker stain. To the hotel, my name
        on it, otherwise it ends up in a guest room.
        """,
        answers="nl-first-2",
        cc=[HENRIK],
    ),
    Mail(
        "nl-samples",
        "64d 11:20",
        JONAS,
        [ANNA],
        "Your two sample chairs are on the road",
        """
        Dear Ms Berg,

        two Fjord chairs left our warehouse today, one oiled oak, one stained. They
        should reach you on Thursday before noon. Please keep them as long as you need.
        """,
        cc=[MITCHELL],
    ),
    Mail(
        "nl-samples-2",
        "62d 12:48",
        ANNA,
        [JONAS],
        "Re: Your two sample chairs are on the road",
        """
        They are here, and the concierge has already asked whether he may keep the
        stained one. It is the oak for us, though.

        Picture of it in its future corner:
        """,
        cc=[MITCHELL],
        answers="nl-samples",
        style="apple",
        inline=[
            photo(
                "IMG_1988.jpeg",
                "Restaurant, corner by the window",
                (96, 120, 132),
                "img1988@icloud",
            )
        ],
    ),
    Mail(
        "nl-budget",
        "47d 08:55",
        HENRIK,
        [MITCHELL],
        "Lieferantenstammblatt und Bankverbindung",
        """
        Guten Tag Mitchell,

        damit wir Sie als Lieferanten anlegen können, bräuchte ich das ausgefüllte
        Stammblatt (Anlage) und eine aktuelle Bankbestätigung. Bitte beachten Sie unser
        Zahlungsziel von 30 Tagen.

        Mit freundlichen Grüßen
        """,
        style="outlook",
        attachments=[
            sheet(
                "Lieferantenstammblatt.xlsx",
                "Stammdaten",
                ["Feld", "Ihre Angabe"],
                ["Firma", ""],
                ["USt-IdNr.", ""],
                ["IBAN", ""],
                ["Ansprechpartner", ""],
            )
        ],
    ),
    Mail(
        "nl-budget-2",
        "46d 14:10",
        MITCHELL,
        [HENRIK],
        "AW: Lieferantenstammblatt und Bankverbindung",
        """
        Guten Tag Herr Voss,

        anbei das Stammblatt, ausgefüllt, und die Bestätigung der Bank. 30 Tage passen.

        Beste Grüße
        """,
        answers="nl-budget",
        style="outlook",
        attachments=[
            sheet(
                "Lieferantenstammblatt_Tallwood.xlsx",
                "Stammdaten",
                ["Feld", "Ihre Angabe"],
                ["Firma", "Tallwood Furniture"],
                ["Ansprechpartner", "Mitchell Admin"],
            ),
            pdf(
                "Bankbestätigung.pdf", "Bestätigung", "Das Konto wird bei uns geführt."
            ),
        ],
    ),
    Mail(
        "nl-visit",
        "33d 16:30",
        MITCHELL,
        [ANNA, HENRIK],
        "Showroom visit in Berlin",
        """
        Dear both,

        the invitation for the showroom is attached. The train from Hamburg arrives at
        12:27; Mira picks you up at the station, she has the red scarf.
        """,
        cc=[MIRA],
        attachments=[
            invitation(
                "invite.ics",
                "Showroom: Fjord and Skerry",
                "Tallwood Furniture, Berlin",
                "20260512",
            )
        ],
    ),
    Mail(
        "nl-visit-2",
        "32d 09:12",
        ANNA,
        [MITCHELL],
        "Accepted: Showroom visit in Berlin",
        "We'll be there, both of us.",
        cc=[MIRA, HENRIK],
        answers="nl-visit",
        quote=False,
        is_signed=False,
        style="plain",
    ),
    Mail(
        "nl-thanks",
        "25d 10:02",
        ANNA,
        [MITCHELL, MIRA],
        "Thank you for yesterday",
        """
        Dear Mira, dear Mitchell,

        that was a good day, and the cake was better than the contract needs it to be.
        My board wants three things in the offer:

        * the 40 chairs, with 8 of them priced with armrests as an option
        * delivery to the ground floor, by the service entrance
        * a price for 6 bar stools, 65 cm

        I am back in the office on Monday.
        """,
        style="apple",
        inline=[LOGO],
    ),
    Mail(
        "nl-news",
        "19d 07:00",
        ANNA,
        [MITCHELL],
        "Nordlicht Hotels: winter at the harbour",
        """
        Dear friends of the house,

        from the first of December the fires are lit again and the sauna boat is back.
        Partners of the house get the winter rate until the end of January.
        """,
        extra_html=NEWSROOM,
        style="apple",
    ),
    Mail(
        "lift-1",
        "1d 09:55",
        HENRIK,
        [MITCHELL],
        "Rückfrage zur Lieferzeit und zum Aufzug",
        """
        Guten Tag Mitchell,

        unser Lastenaufzug ist nur 1,10 m breit. Passen die gestapelten Stühle da durch,
        oder müssen sie einzeln hoch? Maße auf dem Foto.

        Außerdem: Bleibt es bei KW 50?
        """,
        cc=[ANNA],
        style="outlook",
        charset="iso-8859-1",
        attachments=[
            photo("Aufzug_Maße.jpg", "Breite 1,10 m, Tiefe 1,80 m", (120, 112, 96))
        ],
    ),
    Mail(
        "lift-2",
        "1d 14:26",
        HENRIK,
        [MITCHELL],
        "AW: Rückfrage zur Lieferzeit und zum Aufzug",
        """
        Kleiner Nachtrag: Die Tür ist noch schmaler, 98 cm. Ich habe eben nachgemessen.
        """,
        cc=[ANNA],
        answers="lift-1",
        style="outlook",
        is_unread=True,
    ),
    Mail(
        "fabric",
        "4h",
        MITCHELL,
        [HENRIK],
        "Fabric samples are on their way",
        """
        Guten Tag Herr Voss,

        drei Stoffmuster sind heute raus: Eichengrün, Schiefer und Sand. Das Zertifikat
        zur Schwerentflammbarkeit liegt bei.

        Beste Grüße
        """,
        style="apple",
    ),
    Mail(
        "dates",
        "1d 10:05",
        JONAS,
        [ANNA],
        "Two delivery slots in week 50",
        """
        Dear Ms Berg,

        the lorry could be with you on Tuesday or on Thursday of week 50, both between 8
        and 10. Which one suits the house?
        """,
        cc=[MITCHELL],
        style="plain",
    ),
    Mail(
        "lunch-1",
        "6d 18:21",
        MITCHELL,
        [ANNA],
        "Lunch in Hamburg?",
        """
        Are you in town on the 3rd? There is a new place at the Fischmarkt that Jonas
        swears by.
        """,
        style="plain",
        is_signed=False,
    ),
    Mail(
        "lunch-2",
        "6d 19:02",
        ANNA,
        [MITCHELL],
        "Re: Lunch in Hamburg?",
        "I am, and I know it. 12:30, I take the table by the window.",
        answers="lunch-1",
        style="apple",
        is_signed=False,
    ),
    Mail(
        "away",
        "40d 08:01",
        ANNA,
        [MITCHELL],
        "Automatic reply: Away until Monday",
        """
        Thank you for your mail. I am out of the office until Monday and read it then.
        In urgent cases Henrik Voss helps: h.voss@nordlicht-hotels.example.
        """,
        style="plain",
        headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
    ),
]
