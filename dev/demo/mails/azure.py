"""Azure Interior, contacts of Odoo's own demo data: a lobby from sketch to order."""

from ..files import pdf, photo
from ..mail import Mail
from ..people import BRANDON, JONAS, MITCHELL, NICOLE

MAILS = [
    Mail(
        "azure-1",
        "52d 18:04",
        BRANDON,
        [MITCHELL],
        "Lobby seating, first sketches",
        """
        Hi Mitchell,

        sketches for the lobby in Fremont are attached. We would like your Skerry stools
        along the bar and something softer by the windows. What would you put there?
        """,
        attachments=[
            photo("lobby_sketch_01.jpg", "Lobby, bar side", (140, 128, 108)),
            photo("lobby_sketch_02.jpg", "Lobby, window side", (120, 132, 128)),
        ],
    ),
    Mail(
        "azure-2",
        "51d 10:22",
        MITCHELL,
        [BRANDON, NICOLE],
        "Re: Lobby seating, first sketches",
        """
        Hi Brandon, hi Nicole,

        by the windows I would put six of the Harbor lounge chairs, in two groups of
        three. They can be re-covered, which a lobby will thank you for after two years.

        Swatches are on their way to both of you.
        """,
        answers="azure-1",
    ),
    Mail(
        "azure-3",
        "50d 17:51",
        NICOLE,
        [MITCHELL],
        "Re: Lobby seating, first sketches",
        """
        Swatches arrived. The rust one, please, and I need the cleaning code for our
        operations people.
        """,
        cc=[BRANDON],
        answers="azure-2",
        style="outlook",
    ),
    Mail(
        "azure-4",
        "43d 11:08",
        MITCHELL,
        [NICOLE],
        "Cleaning code for Harbor in rust",
        """
        Hi Nicole,

        code W, water-based cleaner. The care sheet is attached and can be printed for
        the team.
        """,
        cc=[BRANDON],
        attachments=[
            pdf("Harbor_care.pdf", "Harbor, care", "Code W: water-based cleaner")
        ],
    ),
    Mail(
        "azure-5",
        "17d 16:15",
        BRANDON,
        [MITCHELL],
        "Order for the lobby",
        """
        Hi Mitchell,

        the client signed. Please go ahead with:

        * 6 Harbor lounge chairs in rust
        * 9 Skerry bar stools, 75 cm
        * 2 side tables in smoked oak

        Purchase order follows from Nicole.
        """,
        cc=[NICOLE],
    ),
    Mail(
        "azure-6",
        "16d 09:40",
        MITCHELL,
        [BRANDON],
        "Re: Order for the lobby",
        """
        Wonderful, thank you. All of it can leave in five weeks; the stools are in stock
        and could come ahead. Would that help?
        """,
        cc=[NICOLE, JONAS],
        answers="azure-5",
    ),
    Mail(
        "azure-7",
        "15d 17:02",
        BRANDON,
        [MITCHELL],
        "Re: Order for the lobby",
        "No, one delivery please, the lobby is a building site until then.",
        cc=[NICOLE],
        answers="azure-6",
        style="apple",
        is_signed=False,
    ),
    Mail(
        "azure-8",
        "3h",
        NICOLE,
        [MITCHELL],
        "Purchase order 4500018811",
        """
        Mitchell,

        the purchase order is attached. Please put its number on every document, or our
        accounting sends it back.
        """,
        style="outlook",
        is_unread=True,
        attachments=[
            pdf(
                "PO_4500018811.pdf",
                "Purchase order 4500018811",
                "6 x Harbor lounge chair, rust",
                "9 x Skerry bar stool, 75 cm",
                "2 x side table, smoked oak",
            )
        ],
    ),
]
