"""What a mail answers to, by its subject alone."""

import re

#: "Re:" as the mail programs of this world write it; what they forward is no answer.
_ANSWER = re.compile(
    r"^(?:(?:re|aw|antw|sv|vs|rif|odp|ynt|回复|回覆|答复|返信)(?:\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)


def same_subject(subject: str) -> str:
    """A subject as it is compared: no mail program keeps its spaces as they were."""
    return " ".join(subject.split()).casefold()


def answered_subject(subject: str) -> str:
    """The subject that a mail answers to, as `same_subject`; else an empty string."""
    subject = " ".join(subject.split())
    match = _ANSWER.match(subject)
    return same_subject(subject[match.end() :]) if match else ""
