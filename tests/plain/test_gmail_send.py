"""The transport under Gmail's client asks for a send once."""

import base64
from http.client import IncompleteRead

import pytest
from conftest import mail
from gmail_mailbox import connect

from easycrm_mail.providers.gmail_structure import decode


def packed_mail(to: str) -> str:
    """A mail in base64url."""
    raw = mail(1).replace(b"bob@example.org", to.encode())
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize("fault", ["reset", "half", "refuse"])
def test_a_send_is_asked_once_whatever_becomes_of_its_answer(gmail, provider, fault):
    """On a connection that has been used, too: httplib2 would send it again."""
    provider.check()
    raw = packed_mail("bob@example.org")
    gmail.calls.clear()
    gmail.break_("messages/send", fault)
    api = provider._api
    with pytest.raises((OSError, IncompleteRead)):
        api.send(raw)
    assert len(gmail.calls) == (fault != "refuse")
    assert len(gmail.sent) == (fault != "refuse")
    assert api.send(raw)["labelIds"] == ["SENT"]
    assert len(gmail.sent) == 1 + (fault != "refuse")
    assert decode(raw) == gmail.sent[-1][1]


def test_a_send_is_asked_again_with_a_new_token_only(gmail):
    provider = connect(gmail)
    provider.check()
    gmail.oauth.expire_tokens()
    provider._api.send(packed_mail("bob@example.org"))
    assert len(gmail.sent) == 1
