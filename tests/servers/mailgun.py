"""Mailgun on loopback: messages of one domain, its suppressions, and signed reports.

`python -m servers.mailgun [PORT]`, with `tests` on the path.
"""

import base64
import hashlib
import hmac
import io
import json
import re
import secrets
import sys
from email.utils import format_datetime, getaddresses, parseaddr

from werkzeug.formparser import parse_form_data

from .bulk import Deliveries, now, post
from .web import Answer, Request, WebServer

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
MAX_BYTES = 25_000_000
MAX_OPTIONS = 16_384


class MailgunServer(WebServer):
    """One account with one domain.

    :ivar key: the only one that counts
    :ivar deliveries: what people got
    :ivar suppressed: list -> its rows
    """

    def __init__(self, port: int = 0, domain: str = "mg.example.com"):
        self.key = "key-loopback"
        self.signing_key = "signing-loopback"
        self.domain = domain
        self.state = "active"
        self.deliveries = Deliveries()
        self.sends = 0
        self.suppressed: dict[str, list[dict]] = {}
        super().__init__(port)

    def respond(self, request: Request) -> Answer:
        expected = base64.b64encode(f"api:{self.key}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return Answer("Forbidden", 401)
        own = f"/v3/{self.domain}/"
        if request.path == f"/v4/domains/{self.domain}":
            return Answer({"domain": {"name": self.domain, "state": self.state}})
        if not request.path.startswith(own):
            if request.path.startswith(("/v3/", "/v4/")):
                return Answer({"message": "Domain not found"}, 404)
            return Answer("Mailgun Magnificent API")
        name = request.path.removeprefix(own)
        if name == "messages" and request.method == "POST":
            return self._send(request)
        if name in ("bounces", "complaints", "unsubscribes"):
            return self._list(request, name)
        return Answer({"message": "not found"}, 404)

    def _list(self, request: Request, name: str) -> Answer:
        size, start = int(request.get("limit", "100")), int(request.get("p", "0"))
        rows = self.suppressed.get(name, [])
        following = f"https://api.mailgun.net/v3/{self.domain}/{name}"
        following += f"?limit={size}&p={start + size}"
        return Answer(
            {"items": rows[start : start + size], "paging": {"next": following}}
        )

    def _send(self, request: Request) -> Answer:
        if len(request.body) > MAX_BYTES:
            return Answer({"message": "Request Entity Too Large"}, 413)
        _stream, form, files = parse_form_data(
            {
                "REQUEST_METHOD": "POST",
                "CONTENT_TYPE": request.headers.get("Content-Type"),
                "CONTENT_LENGTH": str(len(request.body)),
                "wsgi.input": io.BytesIO(request.body),
            },
        )
        for name in ("from", "to", "subject"):
            if not form.get(name):
                return _refuse(f"{name} parameter is missing")
        people = getaddresses(form.getlist("to"))
        if len(people) > 1000:
            return _refuse("too many recipients: 1000 at most")
        for _name, address in people:
            if not _ADDRESS.fullmatch(address):
                return _refuse("'to' parameter is not a valid address.")
        if not _ADDRESS.fullmatch(parseaddr(form["from"])[1]):
            return _refuse("'from' parameter is not a valid address.")
        if not form.get("html") and not form.get("text"):
            return _refuse("Need at least one of 'text' or 'html' parameters specified")
        options = sum(
            len(f"{name}{value}".encode())
            for name, value in form.items(multi=True)
            if name[:2] in ("o:", "h:", "v:")
        )
        if options > MAX_OPTIONS:
            return _refuse("o:, h: and v: parameters are too long: 16384 at most")
        try:
            variables = json.loads(form.get("recipient-variables") or "null")
        except ValueError:
            return _refuse("recipient-variables is not JSON")
        self.sends += 1
        everybody = ", ".join(address for _name, address in people)
        for _name, address in people:
            self._deliver(form, files, address, variables, everybody)
        reference = f"<{self.sends}.{secrets.token_hex(4)}@{self.domain}>"
        return Answer({"id": reference, "message": "Queued. Thank you."})

    def _deliver(self, form, files, address, variables, everybody):
        values = {
            f"%recipient.{name}%": str(value)
            for name, value in ((variables or {}).get(address) or {}).items()
        }
        self.deliveries.add(
            address=address,
            subject=_fill(form["subject"], values),
            html=_fill(form.get("html", ""), values),
            text=_fill(form.get("text", ""), values),
            headers={
                "To": address if variables else everybody,
                **{
                    name[2:]: _fill(value, values)
                    for name, value in form.items()
                    if name.startswith("h:")
                },
            },
            custom={
                name[2:]: _fill(value, values)
                for name, value in form.items()
                if name.startswith("v:")
            },
            files=tuple(file.filename for file in files.values()),
        )

    # --- its reports ---

    def event(self, mail, kind: str, **values) -> dict:
        """An event about one delivered mail, as its webhook writes it."""
        digest = hashlib.sha256(
            json.dumps([mail.number, kind, values], sort_keys=True).encode()
        )
        return {
            "event": kind,
            "id": digest.hexdigest()[:22],
            "timestamp": float(now()),
            "recipient": mail.address,
            "user-variables": dict(mail.custom),
            **values,
        }

    def sign(self, event: dict, timestamp: str = "", token: str = "") -> bytes:
        """The body of a signed report."""
        timestamp, token = timestamp or str(now()), token or secrets.token_hex(25)
        digest = hmac.new(
            self.signing_key.encode(), (timestamp + token).encode(), hashlib.sha256
        )
        signature = {
            "timestamp": timestamp,
            "token": token,
            "signature": digest.hexdigest(),
        }
        return json.dumps({"signature": signature, "event-data": event}).encode()

    def report(self, url: str, events: list[dict]) -> list[int]:
        """Call a webhook for each; return their statuses."""
        return [post(url, self.sign(event)) for event in events]


def _fill(text: str, values: dict[str, str]) -> str:
    # (in one pass; a name that a recipient has not is left empty)
    return re.sub(r"%recipient\.\w+%", lambda m: values.get(m[0], ""), text)


def _refuse(message: str) -> Answer:
    return Answer({"message": message}, 400)


def suppression(address: str, at, error: str = "") -> dict:
    """A row of one of its lists."""
    return {"address": address, "created_at": format_datetime(at), "error": error}


if __name__ == "__main__":
    MailgunServer(int(sys.argv[1]) if sys.argv[1:] else 0).serve()
