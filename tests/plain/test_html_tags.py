"""Bodies for which a parser would take minutes are known beforehand, and no others."""

import pytest

from easycrm_mail.messages import has_many_attributes

MANY = " ".join(f"a{number}" for number in range(1_000))
FEW = " ".join(f'a{number}="{number} < 5 > 3"' for number in range(40))


@pytest.mark.parametrize(
    "html",
    [
        f"<p>Hello</p><div {MANY}>x</div>",
        f"<DIV\n{MANY}",
        "<p " + MANY.replace(" ", "/") + ">",
        "<p " + MANY.replace(" ", "=1\t") + ">",
        "<p" + "".join(f' a{number}="x"' for number in range(1_000)) + "/>",
        "<p " + "".join(f"a{number}='x'" for number in range(1_000)) + ">",
        # what stands before opens no quote for a parser
        f'<!-- <x a=" --><div {MANY}><i b=">',
        f"<script> <x a=' </script><div {MANY}><i b='>",
        f'<p a=1" {MANY} b=1">',
        # its quotes are none for some
        f"""<p "x='{MANY}'>""",
        f"""<p b/c="{MANY}">""",
        f"""<p/c="{MANY}">""",
        f"""<p 1="{MANY}">""",
        f"<x.{MANY}>",
        # in all they are too many
        ("<p " + MANY[:400] + ">") * 4_000,
    ],
)
def test_too_many_attributes_are_seen(html):
    assert has_many_attributes(html)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "Hello",
        f"<p {FEW}>Hello</p>" * 1_000,
        f"<p title='{MANY}' style=\"{MANY}\">{MANY}</p>",
        f"<p>{MANY} < {MANY} << {MANY}</p>",
        f"<!-- {MANY} --><!DOCTYPE {MANY}><?xml {MANY}?></p {MANY}>",
        f'<a href="x"" title="{MANY}">',
        f'<img src="x"/><td width=100%/><td 100% nowrap title="{MANY}">',
        "<br/>" * 200_000,
        "<" * 1_000_000,
    ],
)
def test_other_bodies_are_left(html):
    assert not has_many_attributes(html)
