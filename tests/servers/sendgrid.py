"""SendGrid on loopback: Mail Send v3, its suppression lists, and signed reports.

`python -m servers.sendgrid [PORT]`, with `tests` on the path.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jsonschema import Draft202012Validator

from .bulk import Deliveries, now, post, substitute
from .web import Answer, Request, WebServer

_DESCRIPTION = json.loads(
    # Twilio's published description of Mail Send (MIT)
    Path(__file__)
    .with_name("sendgrid-mail-send.openapi.json")
    .read_text(encoding="utf-8")
)
_BODY = {
    **_DESCRIPTION["components"]["requestBodies"]["PostMailSend"]["content"][
        "application/json"
    ]["schema"],
    "components": _DESCRIPTION["components"],
}
_VALIDATOR = Draft202012Validator(_BODY)

_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
_RESERVED = {"to", "from", "subject", "reply-to", "cc", "bcc", "content-type"}

MAX_SUBSTITUTIONS = 10_000
MAX_BYTES = 30_000_000


class SendGridServer(WebServer):
    """One account.

    :param signer: makes the key that it signs with, the same each time; 0: any
    :ivar key: the only one that counts
    :ivar deliveries: what people got
    :ivar bodies: the bodies of the sends taken
    :ivar suppressed: list -> its rows
    """

    def __init__(self, port: int = 0, signer: int = 0):
        self.key = "SG.loopback"
        self.scopes = ["mail.send"]
        self.senders: set[str] | None = None  # None: any
        self.deliveries = Deliveries()
        self.bodies: list[dict] = []
        self.suppressed: dict[str, list[dict]] = {}
        self._signer = (
            ec.derive_private_key(signer, ec.SECP256R1())
            if signer
            else ec.generate_private_key(ec.SECP256R1())
        )
        super().__init__(port)

    @property
    def verification_key(self) -> str:
        """The public key, as its settings show it."""
        der = self._signer.public_key().public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
        return base64.b64encode(der).decode()

    def respond(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _error(
                401, "The provided authorization grant is invalid, expired, or revoked"
            )
        if request.path == "/v3/mail/send" and request.method == "POST":
            return self._send(request)
        if request.path == "/v3/scopes" and request.method == "GET":
            return Answer({"scopes": self.scopes})
        if request.path.startswith("/v3/suppression/") and request.method == "GET":
            rows = self.suppressed.get(request.path.rpartition("/")[2], [])
            offset = int(request.get("offset", "0"))
            return Answer(rows[offset : offset + int(request.get("limit", "500"))])
        return _error(404, "not found")

    def _send(self, request: Request) -> Answer:
        if "mail.send" not in self.scopes:
            return _error(403, "access forbidden")
        if len(request.body) > MAX_BYTES:
            return _error(413, "payload too large")
        try:
            body = request.json
        except ValueError:
            return _error(400, "Bad Request")
        if refusal := self._refuse(body):
            return refusal
        self.bodies.append(body)
        self._deliver(body)
        number = len(self.bodies)
        reference = hashlib.sha256(str(number).encode()).hexdigest()[:22]
        return Answer(b"", 202, {"X-Message-Id": reference})

    def _refuse(self, body) -> Answer | None:
        for error in _VALIDATOR.iter_errors(body):
            field = ".".join(map(str, error.absolute_path))
            return _error(400, error.message, field or None)
        blocks = body["personalizations"]
        if not blocks:
            return _error(400, "You must have at least one personalization.")
        if self.senders is not None and body["from"]["email"] not in self.senders:
            return _error(
                403,
                "The from address does not match a verified Sender Identity.",
                "from",
            )
        if sum(len(b.get(role, ())) for b in blocks for role in _ROLES) > 1000:
            return _error(
                400, "There is a limit of 1000 total recipients (to + cc + bcc)"
            )
        seen = set()
        for number, block in enumerate(blocks):
            place = f"personalizations.{number}"
            for kind in ("custom_args", "substitutions", "headers"):
                if not all(isinstance(v, str) for v in block.get(kind, {}).values()):
                    return _error(400, "Bad Request", None)
            taken = sum(
                len(f"{tag}{value}".encode())
                for tag, value in block.get("substitutions", {}).items()
            )
            if taken > MAX_SUBSTITUTIONS:
                return _error(400, "The substitutions are too long.", place)
            if reserved := _RESERVED & {n.lower() for n in block.get("headers", {})}:
                return _error(400, f"{reserved} cannot be set as a header", place)
            for at, person in enumerate(block["to"]):
                if not _ADDRESS.fullmatch(person["email"]):
                    return _error(
                        400,
                        "Does not contain a valid address.",
                        f"{place}.to.{at}.email",
                    )
                if person["email"].lower() in seen:
                    return _error(
                        400,
                        "Each unique email address in the personalizations array should"
                        " only be included once.",
                        "personalizations",
                    )
                seen.add(person["email"].lower())
        kinds = [part["type"] for part in body.get("content", ())]
        if not kinds or kinds != sorted(kinds, reverse=True):
            return _error(400, "text/plain must come first, then text/html", "content")
        return None

    def _deliver(self, body):
        content = {part["type"]: part["value"] for part in body["content"]}
        for block in body["personalizations"]:
            values = block.get("substitutions", {})
            self.deliveries.add(
                address=block["to"][0]["email"],
                subject=substitute(block.get("subject", body["subject"]), values),
                html=substitute(content.get("text/html", ""), values),
                text=substitute(content.get("text/plain", ""), values),
                headers={
                    name: substitute(value, values)
                    for name, value in block.get("headers", {}).items()
                },
                custom=block.get("custom_args", {}),
                files=tuple(f["filename"] for f in body.get("attachments", ())),
            )

    # --- its reports ---

    def event(self, mail, kind: str, **values) -> dict:
        """An event about one delivered mail, as its webhook writes it."""
        digest = hashlib.sha256(
            json.dumps([mail.number, kind, values], sort_keys=True).encode()
        )
        return {
            "email": mail.address,
            "timestamp": now(),
            "event": kind,
            "sg_event_id": digest.hexdigest()[:32],
            "sg_message_id": f"loopback.{mail.number}",
            "smtp-id": f"<{mail.number}@loopback>",
            **mail.custom,
            **values,
        }

    def sign(self, body: bytes, timestamp: str = "") -> dict[str, str]:
        """The headers that sign a report."""
        timestamp = timestamp or str(now())
        signature = self._signer.sign(
            timestamp.encode() + body, ec.ECDSA(hashes.SHA256())
        )
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(
                signature
            ).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }

    def report(self, url: str, events: list[dict]) -> int:
        """Call a webhook; return its status."""
        body = (json.dumps(events) + "\r\n").encode()
        return post(url, body, self.sign(body))


_ROLES = ("to", "cc", "bcc")


def _error(status: int, message: str, field: str | None = None) -> Answer:
    return Answer({"errors": [{"message": message, "field": field}]}, status)


if __name__ == "__main__":
    SendGridServer(int(sys.argv[1]) if sys.argv[1:] else 0).serve()
