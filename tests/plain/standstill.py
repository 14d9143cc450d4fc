"""For tests in which an answer comes too late: on a busy machine others do as well.

What is awaited there is short, and where the machine stands still for that long, what
was meant to be in time is not. As the product does, that is tried again.
"""

from easycrm_mail.providers import Retry

TRIES = 20


def in_time(call):
    """Calls until it is answered in time; gives what it gives then."""
    for _try in range(TRIES):
        try:
            return call()
        except Retry as error:
            if error.code != "timeout":
                raise
    raise AssertionError("it is never in time")


def once_met(arm, call):
    """Calls until a fault is met; gives, or raises, what comes of that.

    :param arm: arms the fault anew, whatever was armed before, and gives it; its
        `times` say how often it is still to be met
    """
    for _try in range(TRIES):
        fault = arm()
        times = fault.times
        try:
            return call()
        except Retry as error:
            if error.code != "timeout" or fault.times < times:
                raise
    raise AssertionError("it is never met")
