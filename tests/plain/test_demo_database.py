"""`make run` in two checkouts at once: neither touches the other's demo database."""

import os

from dev import databases
from dev.demo import run

NAME = f"easycrm_mail_t_{os.getpid()}_demo"


def test_while_another_checkout_makes_it_one_takes_a_name_of_its_own():
    with databases.claim(NAME) as is_first:
        assert is_first
        assert run._pick(NAME, is_first) == NAME
        with databases.claim(NAME) as is_second:
            assert not is_second
            assert run._pick(NAME, is_second) == f"{NAME}_{run.CHECKOUT}"
    with databases.claim(NAME) as is_free_again:
        assert is_free_again
