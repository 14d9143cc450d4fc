"""The calls of the Gmail API that are made, each counted by what it costs.

Costs: https://developers.google.com/workspace/gmail/api/reference/quota
Batches: https://developers.google.com/workspace/gmail/api/guides/batch
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from .budget import Budget
from .errors import Retry
from .gmail_http import BATCH_PATH, MAX_ANSWER_BYTES, MailboxHttp, TokenCredentials
from .sign_in import TokenSource

API_URL = "https://gmail.googleapis.com"
UPLOAD_PATH = "/resumable/upload/gmail/v1/users/me/messages/send"

MAX_BATCH = 50
LIST_PAGE = 500
COST_PROFILE = COST_LABELS = COST_SEND_AS = 1
COST_HISTORY = 2
COST_LIST = COST_ATTACHMENT = 5
COST_GET = 20
COST_SEND = 100

HISTORY_TYPES = ("messageAdded", "messageDeleted", "labelAdded", "labelRemoved")


def api_url() -> str:
    """Where the API is."""
    return (os.environ.get("EASYCRM_GMAIL_API_URL") or API_URL).rstrip("/")


def refs_of(messages: Iterable[dict]) -> list[str]:
    """Their ids, each once; what could neither be asked for nor stored is left out."""
    refs = (str(one.get("id") or "") for one in messages if isinstance(one, dict))
    return list(dict.fromkeys(ref for ref in refs if is_ref(ref)))


def is_ref(ref: str) -> bool:
    """Whether it may be the id of a mail."""
    return ref.isascii() and ref.isalnum() and len(ref) < 100


class GmailApi:
    """One mailbox's client. Its methods raise whatever Google's libraries raise."""

    def __init__(self, tokens: TokenSource, http: MailboxHttp, budget: Budget):
        self.budget = budget
        self.credentials = TokenCredentials(tokens)
        self.http = http
        self._http = AuthorizedHttp(self.credentials, self.http, max_refresh_attempts=1)
        self._service = None
        self._url = ""

    def profile(self) -> dict:
        """The mailbox's address, and the historyId of now."""
        return self._ask(self._users().getProfile(userId="me"), COST_PROFILE)

    def history(self, start: str, page: str = "") -> dict:
        """What happened since a historyId; 404 where it is too old."""
        call = self._users().history()
        request = call.list(
            userId="me",
            startHistoryId=start,
            historyTypes=list(HISTORY_TYPES),
            maxResults=LIST_PAGE,
            pageToken=page or None,
        )
        return self._ask(request, COST_HISTORY)

    def list_ids(self, query: str, label: str = "", page: str = "") -> dict:
        """Ids, newest first."""
        request = self._messages().list(
            userId="me",
            q=query,
            labelIds=[label] if label else None,
            maxResults=LIST_PAGE,
            pageToken=page or None,
        )
        return self._ask(request, COST_LIST)

    def get(self, ref: str, form: str, limit: int = MAX_ANSWER_BYTES) -> dict:
        """One mail.

        :param form: `raw`, `full`, `metadata` or `minimal`
        :param limit: bytes of an answer from which on `TooMuch` is raised
        """
        self.http.limit = limit
        try:
            return self._ask(self._get(ref, form), COST_GET)
        finally:
            self.http.limit = MAX_ANSWER_BYTES

    def get_many(
        self, refs: Sequence[str], form: str = "raw", fields: Sequence[str] = ()
    ) -> dict[str, dict | Exception]:
        """Mails by one batch; each of them, or what its part says.

        :param form: as for `get`
        :param fields: of the header, of mails in `metadata` form; all if none is named
        """
        found: dict[str, dict | Exception] = {}

        def keep(ref: str, answer, error: Exception | None) -> None:
            if error is None and not isinstance(answer, dict):
                error = Retry("answer", "not JSON")
            found[ref] = error or answer

        batch = BatchHttpRequest(keep, batch_uri=api_url() + BATCH_PATH)
        for ref in refs:
            batch.add(self._get(ref, form, fields), request_id=ref)
        self.budget.spend(COST_GET * len(refs))
        batch.execute(http=self._http)
        return found

    def attachment(self, ref: str, attachment_id: str) -> dict:
        """The bytes of an attachment, in base64url, as `data`."""
        call = self._messages().attachments()
        request = call.get(userId="me", messageId=ref, id=attachment_id)
        return self._ask(request, COST_ATTACHMENT)

    def labels(self) -> list[dict]:
        """All labels, the mailbox's own and the user's."""
        answer = self._ask(self._users().labels().list(userId="me"), COST_LABELS)
        return answer.get("labels", [])

    def send_as(self) -> list[dict]:
        """The addresses that the user may send as."""
        call = self._users().settings().sendAs()
        return self._ask(call.list(userId="me"), COST_SEND_AS).get("sendAs", [])

    def send(self, raw: str, thread: str = "") -> dict:
        """Sends a mail. It is asked once, and never again by itself: after an error
        other than a refusal nobody knows whether it went out.

        :param raw: the mail in base64url
        :param thread: that it belongs to; empty for whatever Gmail makes of it
        """
        body = {"raw": raw, "threadId": thread} if thread else {"raw": raw}
        return self._ask(self._messages().send(userId="me", body=body), COST_SEND)

    def begin_upload(self, size: int, thread: str = "") -> str:
        """The address that a mail is then put to, to be sent."""
        headers = {
            "content-type": "application/json; charset=UTF-8",
            "x-upload-content-type": "message/rfc822",
            "x-upload-content-length": str(size),
        }
        body = json.dumps({"threadId": thread} if thread else {})
        self.budget.spend(COST_SEND)
        url = f"{api_url()}{UPLOAD_PATH}?uploadType=resumable"
        response, content = self._http.request(url, "POST", body, headers)
        if response.status != 200:
            raise HttpError(response, content, uri=url)
        address = response.get("location", "")
        if urlsplit(address)[:2] != urlsplit(api_url())[:2]:
            raise Retry("answer", "the upload is to go to another host")
        return address

    def put(self, address: str, piece: bytes, span: str) -> dict | None:
        """Puts a piece of a mail; gives what Gmail says of the mail once it is sent.

        :param span: which of its bytes these are, as Content-Range has it; without a
            piece it is asked how far the upload is
        """
        headers = {"content-range": span, "content-type": "message/rfc822"}
        response, content = self._http.request(address, "PUT", piece, headers)
        if response.status == 308:
            return None
        if response.status not in (200, 201):
            raise HttpError(response, content, uri=address)
        answer = json.loads(content)
        if not isinstance(answer, dict):
            raise Retry("answer", "not JSON")
        return answer

    def stream(self, ref: str, sink: Callable[[bytes], object]) -> None:
        """Hands the answer for a mail in raw form to `sink`, piece by piece."""
        request = self._get(ref, "raw")
        self.budget.spend(COST_GET)
        # (packed, it would be unpacked in memory)
        headers = {**request.headers, "accept-encoding": "identity"}
        self.http.sink = sink
        try:
            response, content = self._http.request(request.uri, headers=headers)
        finally:
            self.http.sink = None
        if response.status != 200:
            request.postproc(response, content)

    def close(self) -> None:
        """Ends the connection; never raises."""
        self.http.drop()

    def _users(self):
        url = api_url()
        if self._service is None or self._url != url:
            self.http.drop()
            self._service = build(
                "gmail",
                "v1",
                http=self._http,
                client_options={"api_endpoint": url},
                static_discovery=True,
                cache_discovery=False,
            )
            self._url = url
        return self._service.users()

    def _messages(self):
        return self._users().messages()

    def _get(self, ref: str, form: str, fields: Sequence[str] = ()):
        return self._messages().get(
            userId="me", id=ref, format=form, metadataHeaders=list(fields) or None
        )

    def _ask(self, request, cost: int) -> dict:
        self.budget.spend(cost)
        answer = request.execute()
        if not isinstance(answer, dict):
            # The client gives what is not JSON as text.
            raise Retry("answer", "not JSON")
        return answer
