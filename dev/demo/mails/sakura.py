"""Sakura Design in Tokyo: twelve chairs for a meeting room, asked for in Japanese."""

from ..files import pdf, sheet
from ..mail import Mail
from ..people import ANNA, MITCHELL, SATO

MAILS = [
    Mail(
        "sakura-1",
        "13d 03:20",
        SATO,
        [MITCHELL],
        "お見積りのお願い(会議室用チェア12脚)",
        """
        ミッチェル様

        お世話になっております。サクラデザインの佐藤と申します。
        ノルドリヒト・ホテルのベルクさんのご紹介でご連絡いたしました。

        会議室用のチェア12脚のお見積りをお願いできますでしょうか。
        会議室のレイアウトを添付いたしますので、ご確認ください。

        どうぞよろしくお願いいたします。
        """,
        cc=[ANNA],
        attachments=[
            pdf(
                "会議室レイアウト.pdf",
                "会議室レイアウト",
                "テーブル 3台、チェア 12脚",
                plan=True,
            )
        ],
    ),
    Mail(
        "sakura-2",
        "12d 11:15",
        MITCHELL,
        [SATO],
        "Re: お見積りのお願い(会議室用チェア12脚)",
        """
        佐藤様

        お問い合わせありがとうございます。ベルクさんによろしくお伝えください。
        Fjord チェア12脚のお見積りを添付いたします。納期は6週間です。

        どうぞよろしくお願いいたします。
        """,
        cc=[ANNA],
        answers="sakura-1",
        attachments=[
            sheet(
                "御見積書_S04131.xlsx",
                "御見積書",
                ["品名", "数量", "単価 (EUR)", "金額 (EUR)"],
                ["Fjord チェア", 12, 189.0, 2268.0],
                ["送料", 1, 420.0, 420.0],
            )
        ],
    ),
    Mail(
        "sakura-3",
        "10d 02:41",
        SATO,
        [MITCHELL],
        "Re: お見積りのお願い(会議室用チェア12脚)",
        """
        ミッチェル様

        早速のお見積り、ありがとうございます。社内で検討いたします。
        一点だけ、座面の高さを教えていただけますか。
        """,
        cc=[ANNA],
        answers="sakura-2",
        is_unread=True,
    ),
    Mail(
        "sakura-stamp",
        "41d 04:10",
        SATO,
        [MITCHELL],
        "カタログ送付のお願い",
        """
        はじめまして。サクラデザインの佐藤です。
        貴社のカタログを一部お送りいただけますか。
        """,
        charset="iso-2022-jp",
        style="plain",
    ),
    Mail(
        "sakura-stamp-2",
        "41d 10:30",
        MITCHELL,
        [SATO],
        "Re: カタログ送付のお願い",
        """
        Dear Mr Sato,

        thank you for your interest. The printed catalogue is in the post, the file is
        attached. Please write in whichever language is easier.
        """,
        answers="sakura-stamp",
        style="plain",
        attachments=[
            pdf("Tallwood_Catalogue.pdf", "Tallwood Furniture", "Spring collection")
        ],
    ),
    Mail(
        "sakura-4",
        "2d 01:12",
        SATO,
        [MITCHELL],
        "御社訪問の件(12月)",
        """
        ミッチェル様

        12月にベルリンへ出張いたします。ショールームを見学させていただくことは
        可能でしょうか。日程は貴社のご都合に合わせます。
        """,
        is_unread=True,
    ),
]
