import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..esp import EspError
from .easycrm_esp_event import EVENTS_CRON
from .retrying import PASSING, Retrying

_logger = logging.getLogger(__name__)

#: Characters of what goes wrong.
MAX_ERROR = 300


class ImportRun(Retrying):
    """Takes over the lists of senders, page by page, from where it stood.

    A page is committed with the place of the next: what is too long for one run of the
    cron goes on in the next one.
    """

    def __init__(self, env):
        self.env = env

    def run(self):
        """Go on as long as there is time."""
        Cron = self.env["ir.cron"]
        for esp in self.env["easycrm.esp"].search([("import_wanted", "=", True)]):
            while self._go_on(esp):
                if not Cron._commit_progress(1):
                    cron = Cron._easycrm_get(EVENTS_CRON)
                    cron._easycrm_go_on_later()
                    return
            Cron._commit_progress(1, remaining=0)

    def _go_on(self, esp):
        """Take over a page; what is wrong with one sender keeps no other waiting."""
        try:
            return self._take_page(esp)
        except PASSING:
            raise
        except Exception as error:
            _logger.warning("The lists of a sender cannot be read", exc_info=True)
            self._roll_back()
            return self._retrying(self._give_up_for_good, esp, error)

    def _take_page(self, esp):
        """Take over a page; return whether there is another one."""
        try:
            remote, place = esp._make_esp(), esp.import_place or ""
        except UserError as error:
            return self._retrying(self._give_up, esp, str(error))
        self.env["ir.cron"]._commit_progress()  # no transaction is open while it waits
        try:
            page = remote.suppressions(place)
        except EspError as error:
            return self._retrying(self._give_up, esp, error)
        finally:
            remote.close()
        return self._retrying(self._keep, esp, page)

    def _keep(self, esp, page):
        if not esp.exists():
            return False
        rows = [
            (
                row.address,
                row.reason,
                row.at and row.at.replace(tzinfo=None),
                row.detail,
            )
            for row in page.rows
        ]
        self.env["easycrm.esp.suppression"]._add(rows, esp)
        values = {"import_place": page.place or False}
        if not page.place:
            values["import_wanted"] = False
            values["imported_at"] = fields.Datetime.now()
        esp.write(values)
        return bool(page.place)

    def _give_up(self, esp, error):
        """Say what is wrong; who has it imported again goes on at the same place."""
        if esp.exists():
            words = esp._explain_error(error) if isinstance(error, EspError) else error
            esp.write({"import_wanted": False, "import_error": words})
        return False

    def _give_up_for_good(self, esp, error):
        """Say what is wrong; who has it imported again begins anew."""
        if esp.exists():
            esp.import_place = False
        words = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        text = esp.env._("The lists could not be taken over: %s", words)
        return self._give_up(esp, text)


class EasycrmEsp(models.Model):
    """Taking over whom a bulk sender itself writes to no more."""

    _inherit = "easycrm.esp"

    import_wanted = fields.Boolean(copy=False)
    import_place = fields.Char(
        copy=False, readonly=True, help="Where the next page of its lists begins."
    )
    imported_at = fields.Datetime(
        string="Suppressions Imported", readonly=True, copy=False
    )
    import_error = fields.Char(readonly=True, copy=False)

    def action_import_suppressions(self):
        """Have the sender's own lists of suppressed addresses taken over soon."""
        self.check_access("write")
        self.env["ir.cron"]._easycrm_check(EVENTS_CRON)
        self.sudo().write({"import_wanted": True, "import_error": False})
        self.env["ir.cron"]._easycrm_get(EVENTS_CRON)._easycrm_trigger()

    @api.model
    def _cron_import(self):
        """Take over the lists that are waited for."""
        ImportRun(self.env).run()
