"""Mail from people whom the database does not know: it waits unlinked. Newsletters and
machines are among them.
"""

from ..files import pdf
from ..mail import Mail
from ..people import (
    BAKEHOUSE,
    DAEMON,
    JONAS,
    MIRA,
    MITCHELL,
    NEWS,
    PARCEL,
    PRIYA,
    RUI,
    SOPHIE,
    TANAKA,
)

NEWSLETTER = """
<table width="100%" style="background:#f4f1ec"><tr><td align="center">
<table width="600" style="background:#ffffff">
<tr><td><img src="https://cdn.moebelmarkt-news.example/head.png" width="600" alt="Möbelmarkt"></td></tr>
<tr><td style="padding:24px;font-family:Georgia,serif">
<h1 style="font-size:22px">{title}</h1>
<p>{lead}</p>
<p><a href="https://moebelmarkt-news.example/{number}">Weiterlesen</a></p>
</td></tr>
<tr><td style="padding:12px;font-size:11px;color:#888888">Sie bekommen diesen Brief, weil Sie ihn
bestellt haben. <a href="https://moebelmarkt-news.example/abmelden/7f3a">Abmelden</a>
<img src="https://t.moebelmarkt-news.example/open/7f3a.gif?n={number}" width="1" height="1" alt=""></td></tr>
</table></td></tr></table>
<script>document.title = "Möbelmarkt"</script>
"""


def _newsletter(number: int, when: str, title: str, lead: str) -> Mail:
    return Mail(
        f"news-{number}",
        when,
        NEWS,
        [MITCHELL],
        f"Möbelmarkt Briefing {number}: {title}",
        f"{title}\n\n{lead}\n\nAbmelden: https://moebelmarkt-news.example/abmelden/7f3a",
        html=NEWSLETTER.format(number=number, title=title, lead=lead),
        headers={
            "List-Id": "Möbelmarkt Briefing <briefing.moebelmarkt-news.example>",
            "List-Unsubscribe": "<https://moebelmarkt-news.example/abmelden/7f3a>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        },
    )


MAILS = [
    _newsletter(
        41,
        "44d 06:00",
        "Eiche bleibt knapp",
        "Die Preise für Schnittholz sind im dritten Monat gestiegen.",
    ),
    _newsletter(
        43,
        "16d 06:00",
        "Stapeln ist wieder schick",
        "Warum Restaurants wieder Stühle kaufen, die man wegräumen kann.",
    ),
    _newsletter(
        45,
        "2d 06:00",
        "Messe Köln meldet Rekord",
        "Mehr Aussteller als je zuvor, und eine Halle nur für Sitzmöbel.",
    ),
    Mail(
        "hoshi-1",
        "9d 02:20",
        TANAKA,
        [MITCHELL],
        "カフェ用チェアについて",
        """
        はじめまして。京都でカフェを営んでおります田中と申します。
        店舗の改装にあたり、チェア24脚を探しております。
        日本への発送は可能でしょうか。
        """,
        charset="iso-2022-jp",
        style="plain",
    ),
    Mail(
        "hoshi-2",
        "5h",
        TANAKA,
        [MITCHELL],
        "Re: カフェ用チェアについて",
        """
        先日のお問い合わせの件、いかがでしょうか。
        改装は3月に始まります。
        """,
        answers="hoshi-1",
        is_unread=True,
    ),
    Mail(
        "rui-1",
        "20d 19:05",
        RUI,
        [MITCHELL],
        "Catalogue in Portuguese?",
        """
        Dear Sirs,

        my office plans a guest house near Évora, 14 rooms. Is there a catalogue in
        Portuguese, and a dealer in Lisbon?
        """,
    ),
    Mail(
        "rui-2",
        "1d 18:30",
        RUI,
        [MITCHELL],
        "Re: Catalogue in Portuguese?",
        "English is fine too. The client decides on Friday.",
        answers="rui-1",
        is_unread=True,
    ),
    Mail(
        "parcel-1",
        "29d 05:55",
        PARCEL,
        [MITCHELL],
        "Ihre Sendung ist unterwegs",
        "Die Sendung 00340 4343 1182 kommt heute zwischen 10 und 13 Uhr an.",
        style="plain",
        headers={"Auto-Submitted": "auto-generated"},
    ),
    Mail(
        "parcel-2",
        "3d 05:40",
        PARCEL,
        [MITCHELL],
        "Ihre Sendung ist unterwegs",
        "Die Sendung 00340 4343 2207 kommt heute zwischen 9 und 12 Uhr an.",
        style="plain",
        headers={"Auto-Submitted": "auto-generated"},
    ),
    Mail(
        "sophie-1",
        "4d 13:10",
        SOPHIE,
        [MITCHELL],
        "Skerry in ash?",
        """
        Hej,

        a client in Göteborg wants 20 Skerry stools, but in ash instead of oak. Do you
        make them?
        """,
        style="apple",
    ),
    Mail(
        "bake-1",
        "4d 09:00",
        BAKEHOUSE,
        [MITCHELL],
        "Trade account?",
        """
        Hello Tallwood,

        we open two more bakeries next year and would like a trade account. What do you
        need from us?
        """,
    ),
    Mail(
        "priya-1",
        "5d 07:25",
        PRIYA,
        [MITCHELL],
        "Bulk rates for serviced apartments",
        """
        Good morning,

        Lotus Stays runs 120 serviced apartments. What are your rates from 200 chairs,
        and do you keep spare parts for ten years?
        """,
        cc=[MIRA],
        attachments=[
            pdf("Lotus_Stays_brief.pdf", "Brief", "120 apartments, 240 chairs")
        ],
    ),
    Mail(
        "bounce",
        "61d 09:02",
        DAEMON,
        [MITCHELL],
        "Undelivered Mail Returned to Sender",
        """
        I'm sorry to have to inform you that your message could not be delivered to one
        or more recipients.

        <old.address@leclub.example.com>: user unknown
        """,
        style="plain",
        headers={"Auto-Submitted": "auto-replied", "Return-Path": "<>"},
    ),
    # Among colleagues: matches nothing by itself.
    Mail(
        "team",
        "2d 17:15",
        JONAS,
        [MITCHELL, MIRA],
        "Lorries before Christmas",
        """
        Last lorry south is on the 18th, last one north on the 20th. Whoever promised
        anything after that, please come and see me.
        """,
        style="plain",
    ),
]
