import pytest

from easycrm_mail.messages import answered_subject, same_subject


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Spring offer",
        "RE:Spring  offer",
        "AW: Re: SPRING OFFER",
        "Re[2]: Spring offer",
        "Antw: Spring offer",
        "  re : spring offer ",
        "回复：Spring offer",
    ],
)
def test_what_an_answer_answers_to(subject):
    assert answered_subject(subject) == same_subject("Spring offer")


@pytest.mark.parametrize(
    "subject",
    ["", "Spring offer", "Fwd: Spring offer", "WG: Re: x", "Regarding: x", "Re:", "Re"],
)
def test_what_is_no_answer(subject):
    assert answered_subject(subject) == ""
