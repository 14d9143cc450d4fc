"""Texts whose changing places are fenced, taken apart into what stays and what changes.

Whoever renders the same text for many people writes `OPEN` and `CLOSE` around all that
may differ. What is outside of the fences is then the skeleton: people whose mails have
the same one get the same mail but for their values, whatever logic made it so.
"""

import re

# Private use characters: no keyboard, font or mail has them.
OPEN, CLOSE = "\U0010ff01", "\U0010ff02"

_FENCE = re.compile(f"([{OPEN}{CLOSE}])")
_NAMED = re.compile(f"{OPEN}([a-z]+\\d*){CLOSE}")


def split(text: str) -> tuple[list[str], list[str]]:
    """Take a fenced text apart.

    A fence within a fence belongs to the outer one. Put together in turn, both lists
    are the text without its fences, even where those do not match.

    :return: (what is around the values, one more than those; the values)
    """
    literals, values = [""], []
    depth = 0
    for piece in _FENCE.split(text):
        if piece == OPEN:
            depth += 1
            if depth == 1:
                values.append("")
        elif piece == CLOSE:
            if depth == 1:
                literals.append("")
            depth = max(depth - 1, 0)
        elif depth:
            values[-1] += piece
        else:
            literals[-1] += piece
    if depth:
        literals.append("")
    return literals, values


def fold(
    literals: list[str], values: list[str], limit: int
) -> tuple[list[str], list[str]]:
    """Write the largest values into what is around them, until the rest is small.

    :param limit: bytes that the values may have in all
    """
    literals, values = list(literals), list(values)
    sizes = [len(value.encode()) for value in values]
    while sum(sizes) > limit:
        at = sizes.index(max(sizes))
        literals[at : at + 2] = [literals[at] + values[at] + literals[at + 1]]
        del values[at], sizes[at]
    return literals, values


def number(literals: list[str], prefix: str) -> str:
    """One text again, its places named by a letter and their numbers."""
    text = literals[0]
    for at, literal in enumerate(literals[1:]):
        text += mark(f"{prefix}{at}") + literal
    return text


def rename(text: str, old: str, new: str) -> str:
    """The same text, the letter of its numbered places another."""
    return re.sub(f"{OPEN}{old}(\\d+){CLOSE}", f"{OPEN}{new}\\1{CLOSE}", text)


def names(text: str) -> set[str]:
    """The names of the places of a text."""
    return set(_NAMED.findall(text))


def mark(name: str) -> str:
    """A place by its name."""
    return f"{OPEN}{name}{CLOSE}"


def pieces(text: str) -> list[tuple[str, bool]]:
    """A text with named places: (text or name, whether it is a name) in their order."""
    return [
        (piece, bool(at % 2))
        for at, piece in enumerate(_NAMED.split(text))
        if piece or at % 2
    ]
