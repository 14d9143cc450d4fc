"""A contact, leads and opportunities of Odoo's own demo data, and three of ours."""

from ..files import pdf, photo, sheet
from ..mail import Mail
from ..people import (
    ANNA,
    CLAIRE,
    DUNAGAN,
    HELLE,
    JONAS,
    MCENCROE,
    MIRA,
    MITCHELL,
    OLE,
    WILLIE,
)

MAILS = [
    # Wood Corner
    Mail(
        "wood-1",
        "28d 09:15",
        WILLIE,
        [MITCHELL],
        "Squeaking bench, order S03990",
        """
        Hello,

        one of the four benches you delivered in spring squeaks when the second person
        sits down. Customers find it funny. I do not.
        """,
        style="plain",
    ),
    Mail(
        "wood-2",
        "28d 13:33",
        MITCHELL,
        [WILLIE],
        "Re: Squeaking bench, order S03990",
        """
        Hello Willie,

        sorry about that. It is the middle bolt, it works loose when the bench travels
        flat. A new one with a lock washer is in the post; it takes a 6 mm key and two
        minutes. If it still squeaks afterwards we collect it.
        """,
        answers="wood-1",
        style="plain",
    ),
    Mail(
        "wood-3",
        "21d 08:20",
        WILLIE,
        [MITCHELL],
        "Re: Squeaking bench, order S03990",
        "Silence. Thank you. We will need two more of them before summer.",
        answers="wood-2",
        style="plain",
    ),
    # Leads and opportunities
    Mail(
        "club-1",
        "66d 12:12",
        DUNAGAN,
        [MITCHELL],
        "Club Office Furnitures",
        """
        Bonjour,

        nous cherchons du mobilier pour le bureau de notre club : huit bureaux, huit
        chaises et une grande table de réunion. Pourriez-vous nous faire une proposition
        ?

        Cordialement
        """,
        style="plain",
        charset="iso-8859-1",
    ),
    Mail(
        "club-2",
        "65d 10:01",
        MITCHELL,
        [DUNAGAN],
        "Re: Club Office Furnitures",
        """
        Bonjour Monsieur Dunagan,

        merci de votre demande. Quelle surface fait la salle de réunion, et combien de
        personnes autour de la table ? Je vous envoie ensuite une proposition.

        Cordialement
        """,
        answers="club-1",
        style="plain",
    ),
    Mail(
        "club-3",
        "9d 15:25",
        DUNAGAN,
        [MITCHELL],
        "Re: Club Office Furnitures",
        """
        Bonjour, excusez le retard. 28 m², douze personnes. Un budget de 9 000 € au
        total.
        """,
        answers="club-2",
        style="gmail",
        is_unread=True,
    ),
    Mail(
        "stonage-1",
        "38d 20:30",
        HELLE,
        [MITCHELL],
        "Quotation for 50 Chairs",
        """
        Hi there,

        we are moving offices in February and need 50 task chairs. Two of our people are
        over two metres, so please think of them.
        """,
    ),
    Mail(
        "stonage-2",
        "37d 09:50",
        MITCHELL,
        [HELLE],
        "Re: Quotation for 50 Chairs",
        """
        Hi Carrie,

        48 of the Perch and 2 of the Perch Tall would do it. The price list is attached;
        for 50 we take 12 percent off.
        """,
        answers="stonage-1",
        attachments=[
            sheet(
                "Perch_prices.xlsx",
                "Perch",
                ["Model", "Price (EUR)", "From 50 (EUR)"],
                ["Perch", 329.0, 289.5],
                ["Perch Tall", 389.0, 342.3],
            )
        ],
    ),
    Mail(
        "tables-1",
        "23d 06:45",
        MCENCROE,
        [MITCHELL],
        "Quote for 12 Tables",
        """
        G'day,

        could you quote 12 of the round tables, 90 cm, shipped to Melbourne? If the
        freight eats the price we take the tops only and have the frames made here.
        """,
    ),
    Mail(
        "tables-2",
        "22d 16:20",
        MITCHELL,
        [MCENCROE],
        "Re: Quote for 12 Tables",
        """
        Hello Will,

        tops only is the better idea, the frames are two thirds of the volume. The
        drawing for your metal worker is attached.
        """,
        cc=[JONAS],
        answers="tables-1",
        attachments=[
            pdf("Frame_90.pdf", "Frame for round top 90 cm", "Steel tube 30 x 2")
        ],
    ),
    Mail(
        "lounge-1",
        "5d 10:36",
        OLE,
        [MITCHELL],
        "Anfrage Lounge",
        """
        Moin,

        wir richten in Leipzig eine Lounge für 30 Leute ein und haben euren Harbor im
        Café nebenan probegesessen. Macht ihr auch Mietkauf?
        """,
        style="apple",
    ),
    Mail(
        "lounge-2",
        "5d 14:02",
        MITCHELL,
        [OLE],
        "Re: Anfrage Lounge",
        """
        Moin Ole,

        ja, über 36 Monate, danach gehören sie euch. Ich rechne es bis Freitag durch.
        Welche Farben habt ihr im Raum?
        """,
        cc=[MIRA],
        answers="lounge-1",
        style="apple",
    ),
    Mail(
        "lounge-3",
        "20h",
        OLE,
        [MITCHELL],
        "Re: Anfrage Lounge",
        "Viel Beton, ein roter Teppich. Foto anbei.",
        cc=[MIRA],
        answers="lounge-2",
        style="apple",
        is_unread=True,
        attachments=[photo("Lounge.jpg", "Lounge, vorher", (128, 84, 80))],
    ),
    Mail(
        "atelier-1",
        "70d 15:00",
        CLAIRE,
        [MITCHELL],
        "Votre stand à Cologne",
        """
        Cher Mitchell,

        ravie de notre rencontre. Je dessine en ce moment deux hôtels à Lyon et
        j'aimerais voir vos échantillons de chêne huilé.
        """,
    ),
    Mail(
        "atelier-2",
        "69d 09:44",
        MITCHELL,
        [CLAIRE],
        "Re: Votre stand à Cologne",
        "Chère Claire, les échantillons partent aujourd'hui. À bientôt à Lyon !",
        answers="atelier-1",
    ),
    Mail(
        "atelier-3",
        "31d 11:30",
        CLAIRE,
        [MITCHELL],
        "Hôtel des Quais : 80 chaises",
        """
        Cher Mitchell,

        le client est d'accord pour le chêne huilé. Il faudrait 80 chaises pour la fin
        mars. Le plan est joint.
        """,
        attachments=[
            pdf("Hotel_des_Quais.pdf", "Hôtel des Quais", "Salle, 80 places", plan=True)
        ],
    ),
    # One mail to two contacts of two companies.
    Mail(
        "two-houses",
        "7d 16:40",
        MITCHELL,
        [ANNA, CLAIRE],
        "You should know each other",
        """
        Dear Anna, dear Claire,

        you both furnish hotels by the water and you both asked me about oiled oak in
        salty air. Claire has two winters of experience with it, Anna has a restaurant
        to open. I leave you to it.
        """,
        style="apple",
    ),
    Mail(
        "two-houses-2",
        "7d 18:12",
        CLAIRE,
        [ANNA, MITCHELL],
        "Re: You should know each other",
        """
        Dear Anna,

        oil it twice before the first winter, then once a year, and never on a sunny
        day. Happy to show you photographs.
        """,
        answers="two-houses",
        style="gmail",
    ),
]
