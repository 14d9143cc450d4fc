"""Phone and company out of the end of a mail."""

import pytest

from easycrm_mail.messages.signature import Signature, read_signature

END = "Sehr geehrte Frau Okafor,\n\nanbei die Pläne.\n\nMit freundlichen Grüßen\n"


@pytest.mark.parametrize(
    ("text", "phone", "company"),
    [
        (
            END + "Tobias Wendt\n\nEinkauf · Kaffeehaus Union GmbH · Torstraße 140\n"
            "Tel. +49 30 5550 7120",
            "+49 30 5550 7120",
            "Kaffeehaus Union GmbH",
        ),
        (
            END + "Ann\n--\nAnn Lee | Acme Ltd.\nFax: +44 20 7946 0001\n"
            "Mobile: +44 (0)20 7946 0000",
            "+44 (0)20 7946 0000",
            "Acme Ltd.",
        ),
        (END + "Rui\nPereira Arquitetos, Lda.\nT: 213 456 789", "213 456 789", ""),
        (END + "Bo\n+46 8 123 456 78", "+46 8 123 456 78", ""),
        ("Invoice 4711 of 12.11.2026, 1234567 pieces", "", ""),
        (
            "See you\n\nOn Monday Ann wrote:\n> Ann, Acme Ltd.\n> Tel. 030 1234567",
            "",
            "",
        ),
        ("Müller & Söhne GmbH & Co. KG", "", "Müller & Söhne GmbH & Co. KG"),
        ("株式会社星カフェ\n電話: 03-1234-5678", "03-1234-5678", "株式会社星カフェ"),
        ("", "", ""),
    ],
)
def test_what_a_signature_says(text, phone, company):
    assert read_signature(text) == Signature(phone, company)


@pytest.mark.parametrize("piece", ["+1 ", "a, ", "gmbh ", "1(2)3/", "fax ", "\n", ">"])
def test_nothing_takes_long(piece):
    assert len(read_signature(piece * 200_000)) == 2
