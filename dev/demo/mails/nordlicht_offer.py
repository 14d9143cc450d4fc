"""Nordlicht Hotels: the offer, the conversation that everybody looks at first."""

from ..files import logo, pdf, photo, sheet
from ..mail import Mail
from ..people import ANNA, HENRIK, JONAS, MITCHELL

LOGO = logo("nordlicht.png", "Nordlicht Hotels", (30, 60, 110), "logo@nordlicht")
NEWSROOM = """
<p><img src="https://mailer.nordlicht-hotels.example/banner/winter.jpg" width="560"
alt="Winter at the harbour"></p>
<img src="https://mailer.nordlicht-hotels.example/o/8f2c71.gif" width="1" height="1" alt="">
"""

MAILS = [
    Mail(
        "offer-1",
        "5d 16:02",
        MITCHELL,
        [ANNA],
        "Offer for 40 stacking chairs (S04127)",
        """
        Dear Anna,

        as promised our offer for the restaurant on the ground floor. Prices include
        delivery to the service entrance and taking the packaging back. It holds until
        the end of the year.

        The armrests and the bar stools are lines of their own, so that your board can
        strike them.
        """,
        cc=[JONAS],
        attachments=[
            pdf(
                "Offer_S04127.pdf",
                "Offer S04127",
                "40 x Fjord, oiled oak, 189.00 EUR        7,560.00 EUR",
                " 8 x armrests (option), 36.00 EUR          288.00 EUR",
                " 6 x Skerry bar stool 65 cm, 214.00 EUR  1,284.00 EUR",
                "Delivery in week 50",
            )
        ],
    ),
    Mail(
        "offer-2",
        "4d 11:31",
        ANNA,
        [MITCHELL],
        "Re: Offer for 40 stacking chairs (S04127)",
        """
        Thank you, Mitchell. It goes to the board on Monday. One question they will ask:
        does week 50 hold if we sign by Tuesday?
        """,
        cc=[HENRIK],
        answers="offer-1",
    ),
    Mail(
        "offer-3",
        "3d 08:47",
        MITCHELL,
        [JONAS],
        "Fwd: Offer for 40 stacking chairs (S04127)",
        """
        Jonas, can you hold 40 Fjord in oak for Nordlicht until Tuesday evening? I would
        like to promise her week 50.
        """,
        cc=[ANNA],
        answers="offer-2",
    ),
    Mail(
        "offer-4",
        "1d 17:40",
        JONAS,
        [ANNA],
        "Re: Offer for 40 stacking chairs (S04127)",
        """
        Dear Ms Berg,

        the oak version is in stock again, so week 50 holds for all 40.
        """,
        cc=[MITCHELL],
        answers="offer-2",
        quote=False,
    ),
    Mail(
        "offer-5",
        "90m",
        ANNA,
        [MITCHELL],
        "Re: Offer for 40 stacking chairs (S04127)",
        """
        Hello Mitchell,

        thank you, the board said yes this morning. Before I sign, three small points:

        1. Could 8 of the 40 chairs come with armrests? Henrik marked them in the floor plan.
        2. We need the fire certificate (EN 1021-2) for the oak-green fabric.
        3. Week 50 is fine, but deliveries only before 10 am, the quay is closed to lorries afterwards.

        If that works, please send me the final offer and I return it signed the same
        day.

        Best regards from a windy Hamburg
        """,
        cc=[JONAS, HENRIK],
        answers="offer-4",
        extra_html=NEWSROOM,
        inline=[LOGO],
        is_unread=True,
        attachments=[
            pdf(
                "Floorplan_Restaurant_EG.pdf",
                "Restaurant, Erdgeschoss",
                "Stühle mit Armlehne: Tische 2, 5, 9 und 12",
                plan=True,
            ),
            sheet(
                "Bestuhlung_Stand.xlsx",
                "Bestuhlung",
                ["Tisch", "Stühle", "davon mit Armlehne"],
                [1, 4, 0],
                [2, 4, 2],
                [5, 4, 2],
                [9, 4, 2],
                [12, 4, 2],
            ),
            photo("IMG_2041.jpg", "Quay, service entrance", (88, 104, 112)),
        ],
    ),
]
