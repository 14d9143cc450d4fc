from odoo.exceptions import UserError
from odoo.http import Controller, request, route

from ..esp import Malformed, Unverified
from ..models.retrying import Retrying
from ..models.storable import to_storable

#: Bytes of a report, at most.
MAX_BYTES = 5_000_000

#: "Do not try again", in Mailgun's own reading; SendGrid goes by any refusal alike.
STOP = {"mailgun": 406, "sendgrid": 403}


class EventStore(Retrying):
    """Stores what is reported, while others report the same.

    Odoo would do the request again itself, fewer times, and would write each time into
    its log what could not be stored.
    """

    attempts = 20

    def __init__(self, env):
        self.env = env(su=True)

    def store(self, esp, events, token):
        """Store and commit; see `easycrm.esp.event`."""
        # (what was looked up so far is not of interest: the snapshot is a new one)
        self.env.cr.commit()  # pylint: disable=invalid-commit
        Event = self.env["easycrm.esp.event"]
        stored = self._retrying(Event._store, esp, events, token)
        self._retrying(stored._wake)


class EasycrmWebhook(Controller):
    """Where the bulk senders report to, one address each.

    The raw body is verified before anything of it is read, and what it says is only
    stored here: the cron applies it. A report that makes no sense is refused for good;
    an error 500 is our own trouble, after which they try again.
    """

    @route(
        "/easycrm_mail/webhook/sendgrid/<token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BYTES,
    )
    def sendgrid(self, token):
        """Take a list of events from SendGrid."""
        return self._take("sendgrid", token)

    @route(
        "/easycrm_mail/webhook/mailgun/<token>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BYTES,
    )
    def mailgun(self, token):
        """Take an event from Mailgun."""
        return self._take("mailgun", token)

    def _take(self, provider, token):
        esp = (
            request.env["easycrm.esp"]
            .sudo()
            # (who complains of what was sent before is heard)
            .with_context(active_test=False)
            .search(
                [
                    ("webhook_token", "=", to_storable(token)),
                    ("provider", "=", provider),
                ],
                limit=1,
            )
        )
        if not esp:
            return self._answer(404)
        if request.httprequest.mimetype != "application/json":
            return self._answer(406 if provider == "mailgun" else 415)
        body = request.httprequest.get_data()
        try:
            reports = esp._make_reports()
            reports.verify(request.httprequest.headers, body)
            events = reports.read(body)
            used = reports.token(body)
            EventStore(request.env).store(esp, events, used)
        except Unverified:
            return self._answer(STOP[provider])
        except Malformed:
            return self._answer(406 if provider == "mailgun" else 400)
        except UserError:
            return self._answer(500)  # (our own key is lost: it may be found again)
        return self._answer(200)

    def _answer(self, status):
        return request.make_response("", status=status)
