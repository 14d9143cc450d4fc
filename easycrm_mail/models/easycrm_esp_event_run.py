import logging
from datetime import timedelta

from odoo import api, fields, models

from .easycrm_esp_event import EVENTS_CRON
from .easycrm_esp_event_apply import PAGE
from .retrying import PASSING, Retrying

_logger = logging.getLogger(__name__)

#: Seconds after which a run that has applied events is followed by another: longer than
#: any report takes to be stored.
LOOK_AGAIN_SECONDS = 20

#: Characters of why an event could not be applied.
MAX_ERROR = 300


class EventRun(Retrying):
    """Applies events while others write to the same recipients.

    What cannot be applied keeps nobody waiting: of a page that fails each half is tried
    by itself, down to the one event, which is set aside with its reason.
    """

    def __init__(self, env):
        self.env = env

    def apply_page(self):
        """Apply a page and commit; return how many events it had."""
        Event = self.env["easycrm.esp.event"]
        try:
            return self._retrying(Event._apply_page)
        except PASSING:
            raise
        except Exception:
            _logger.warning("Events cannot be applied together", exc_info=True)
            self._roll_back()
        ids = self._retrying(Event._get_waiting)
        self._apply_halves(ids)
        return len(ids)

    def _apply_halves(self, ids):
        half = len(ids) // 2
        for part in filter(None, (ids[:half], ids[half:])):
            try:
                self._retrying(self.env["easycrm.esp.event"]._apply, part)
            except PASSING:
                raise
            except Exception as error:  # noqa: BLE001 (whatever it is: it is named)
                self._roll_back()
                if len(part) > 1:
                    self._apply_halves(part)
                else:
                    self._set_aside(part, error)

    def _set_aside(self, ids, error):
        _logger.warning("Event %s is set aside", ids[0], exc_info=error)
        event = self.env["easycrm.esp.event"].browse(ids)
        reason = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        self._retrying(event.write, {"applied": True, "error": reason})


class EasycrmEspEvent(models.Model):
    """Applying events; those that cannot be are set aside, and can be tried again."""

    _inherit = "easycrm.esp.event"

    error = fields.Char(
        string="Set Aside", readonly=True, help="Why it could not be applied."
    )

    _error_idx = models.Index("(esp_id) WHERE error IS NOT NULL")

    @api.model
    def _cron_apply(self):
        """Apply what has come, page by page; then take over what senders know."""
        cron = self.env["ir.cron"]._easycrm_get(EVENTS_CRON)
        run, is_any = EventRun(self.env), False
        while count := run.apply_page():
            is_any = True
            if not cron._commit_progress(count, remaining=int(count == PAGE)):
                cron._easycrm_go_on_later()
                return
        if is_any:
            # (what was being stored meanwhile saw others waiting, and woke nobody)
            again = fields.Datetime.now() + timedelta(seconds=LOOK_AGAIN_SECONDS)
            cron._easycrm_trigger(again)
        self.env["easycrm.esp"]._cron_import()
