"""SendGrid cannot be reached: whether anybody can have got what was handed over."""

import errno
import socket

import pytest
from servers.sendgrid import SendGridServer

from easycrm_mail.esp import Bulk, Doubtful, File, Recipient, Retry, SendGrid

URL = "EASYCRM_SENDGRID_API_URL"


@pytest.fixture
def esp(monkeypatch):
    with SendGridServer() as server:
        monkeypatch.setenv(URL, server.url)
        yield SendGrid(server.key)


def bulk(**kwargs):
    return Bulk(
        key="batch1",
        sender=("Tallwood Furniture", "news@tallwood.example"),
        subject=["News"],
        html=["<p>News</p>"],
        text=["News"],
        recipients=[Recipient("p0@example.com", "key0")],
        **kwargs,
    )


def raising(error):
    """What raises this, however it is called."""

    def call(*_args, **_kwargs):
        raise error

    return call


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENETDOWN, "Network is down"),
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        TimeoutError("timed out"),
    ],
)
def test_a_service_that_cannot_be_reached_got_nothing(esp, monkeypatch, error):
    monkeypatch.setattr("socket.create_connection", raising(error))
    for call in (lambda: esp.send(bulk()), esp.check):
        with pytest.raises(Retry) as caught:
            call()
        assert caught.value.code == "refused"


def test_a_mail_that_did_not_all_leave_in_time_was_not_sent(monkeypatch):
    # (nobody reads there, and it is more than the system takes)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv(URL, url)
        esp = SendGrid("SG.key", timeout=0.5)
        large = File("large.bin", "application/octet-stream", bytes(20_000_000))
        with pytest.raises(Retry):
            esp.send(bulk(files=[large]))
        with pytest.raises(Doubtful) as caught:
            esp.send(bulk())
        assert caught.value.code == "timeout"


def test_a_way_that_breaks_before_the_answer_leaves_a_doubt(esp, monkeypatch):
    error = OSError(errno.EHOSTUNREACH, "No route to host")
    monkeypatch.setattr("http.client.HTTPConnection.getresponse", raising(error))
    with pytest.raises(Doubtful):
        esp.send(bulk())
