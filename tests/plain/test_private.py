"""What looks private: banks, doctors and payslips, and nothing that only sounds so."""

import pytest

from easycrm_mail.messages import looks_private


@pytest.mark.parametrize(
    "address",
    [
        "service@sparkasse-berlin.example",
        "noreply@mail.hsbc.example",
        "info@stadtsparkasse.example",
        "kontakt@zahnarzt-weber.example",
        "praxis@dr-weber-augenarzt.example",
        "billing@st-mary.hospital.example",
        "payroll@tallwood.example",
        "hr.payslips@tallwood.example",
        "Post@AOK.example",
    ],
)
def test_banks_doctors_and_payrolls_do(address):
    assert looks_private([address], "Hello")
    assert looks_private(["somebody@far.example", address], "")


@pytest.mark.parametrize(
    "address",
    [
        "anna@acme.example",
        "sales@bankett-service.example",
        "info@gartenbank-moebel.example",
        "bank@acme.example",
        "doctor.who@acme.example",
        "x@company.bank",
        "payrollers@acme.example",
        "nobody",
        "",
    ],
)
def test_what_only_sounds_so_does_not(address):
    assert not looks_private([address], "40 chairs for the clinic's hall")


@pytest.mark.parametrize(
    ("subject", "is_private"),
    [
        ("Your payslip for October", True),
        ("Ihr Kontoauszug 10/2026", True),
        ("Gehaltsabrechnung November", True),
        ("Nómina de octubre", True),
        ("Re: Fiche de paie", True),
        ("Doctor\u2019s appointment on Monday", True),
        ("Payslips module: an offer", False),
        ("Offer for 40 chairs", False),
        ("", False),
    ],
)
def test_a_subject_tells_as_a_whole_word(subject, is_private):
    assert looks_private(["x@far.example"], subject) is is_private


def test_a_long_subject_takes_no_time():
    assert not looks_private(["x" * 5000 + "@" + "arz" * 5000], "pay " * 100_000)
