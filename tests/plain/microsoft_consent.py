"""A registration at the loopback sign-in, and what a browser does there."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from graph_mailbox import ADDRESS

from easycrm_mail.providers import MailboxError, MicrosoftSignIn

BACK = "https://crm.example/easycrm_mail/oauth/microsoft"
CLIENT, SECRET = "client-1", "s3cret-of-the-client"


@pytest.fixture
def login(graph):
    """The sign-in server, where we are registered."""
    graph.server.login.register(CLIENT, SECRET, BACK)
    return graph.server.login


@pytest.fixture
def sign_in(login):
    """Ours."""
    return MicrosoftSignIn(CLIENT, SECRET, timeout=5)


def consent(url: str, choice: str = "accept", account: str = "") -> dict[str, str]:
    """What a browser does with the consent page; gives what it brings back."""
    page = requests.get(url, timeout=5).text
    fields = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page))
    fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
    action = re.search(r'action="([^"]*)"', page)[1]
    chosen = re.search(r'value="([^"]*)" checked', page)
    fields["account"] = account or (chosen[1] if chosen else "")
    fields["choice"] = choice
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    answer = requests.post(
        origin + action, fields, allow_redirects=False, timeout=5
    ).headers["Location"]
    assert answer.startswith(BACK)
    return {k: v[-1] for k, v in parse_qs(urlsplit(answer).query).items()}


def signed_in(sign_in, account: str = ""):
    """A grant."""
    begun = sign_in.begin("a-state", BACK, ADDRESS)
    return sign_in.finish(begun.flow, consent(begun.url, account=account), BACK)


def raised(call, *args) -> MailboxError:
    """The error of a call."""
    with pytest.raises(MailboxError) as caught:
        call(*args)
    return caught.value
