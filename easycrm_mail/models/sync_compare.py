"""What a sync does to find the mail that it has missed, and to fetch it.

Once a night (`check_at`), when a mailbox has been read to its end, it is asked folder
by folder for the ids that it holds of the last days:

    held(folder) -> pull(folder) -> compare, keep its gaps and numbers -> next folder
    fetch what is missing, mail by mail -> `_mark_synced`

The folder is read once more in between, so that what came after the last reading is not
taken for missing. What is known of a folder is kept in one transaction, together with
the status, which is never green over a gap. Dying anywhere is harmless: a folder that
was not compared is compared by the next run, and gaps stay until their mail is here.
"""

from collections import Counter
from dataclasses import dataclass, field

from odoo import fields

from ..providers import Gone, Permanent, Reconnect, SetAside
from .ingest import Ingest
from .sync_calls import ask_held, fetch_again

#: How often a missing mail is fetched in vain before it is set aside.
ATTEMPTS = 3

#: Missing mails that a session fetches in vain before it leaves the others alone.
MAX_TRIED = 3

#: Units of a service's budget that filling gaps leaves to others.
SPARED_UNITS = 200


@dataclass
class Comparison:
    """One folder while it is being compared.

    :ivar days: the days that are compared
    :ivar starts: the moments at which they begin
    :ivar held: ref -> number of its day
    :ivar page: where the next call goes on
    :ivar is_whole: all that the folder holds is known
    """

    folder_id: int
    days: list
    starts: list
    held: dict[str, int] = field(default_factory=dict)
    page: str = ""
    is_whole: bool = False


class CompareSteps:
    """The steps of `SyncRun` that compare a mailbox with what is here."""

    def _plan_comparison(self, session, account):
        """Decide the next call that finds what is missing, or fetches it.

        :return: as `_plan` does, or None where all is done
        """
        if session.lost:
            return None
        unchecked = account._get_unchecked_folders()
        comparison = session.comparison
        # (asked of the folder too: this may be done again, on a fresh snapshot)
        if comparison and comparison.is_whole and comparison.folder_id in unchecked.ids:
            self._compare(account, comparison)
            unchecked = account._get_unchecked_folders()
        if not unchecked and account._is_check_due():
            account._mark_checked()
        if not unchecked:
            return self._plan_gap(session, account)
        folder = unchecked[0]
        if not comparison or comparison.folder_id != folder.id:
            comparison = Comparison(folder.id, *account._get_week())
            session.comparison = comparison
        args = folder.stream, comparison.starts, comparison.page
        return ("held", folder.id), ask_held, args

    def _keep_held(self, session, account, held):
        """Take in what a folder holds."""
        comparison = session.comparison
        comparison.held |= held.refs
        comparison.page = held.page
        if not held.page:
            comparison.is_whole = True
            session.folder_ids.append(comparison.folder_id)
        self._retrying(account._keep_quota, session.provider)
        return len(held.refs)

    def _compare(self, account, comparison):
        """Keep what a folder holds a day, and what of it is missing."""
        folder = account.folder_ids.browse(comparison.folder_id)
        ingest = Ingest(account, folder.stream)
        days = comparison.days
        held = {ref: days[number] for ref, number in comparison.held.items()}
        missing, left_out = ingest.find_missing(held)
        ingest.keep_gaps({ref: held[ref] for ref in missing}, days[0])
        counts = Counter(day for ref, day in held.items() if ref not in left_out)
        folder.write(
            {
                "checked_at": fields.Datetime.now(),
                "week_days": {str(day): counts[day] for day in days},
            }
        )
        if missing and account.sync_status == "ok":
            account.sync_status = "incomplete"

    def _plan_gap(self, session, account):
        """Decide which missing mail is fetched next."""
        if not account._get_next_gap(set()):
            return None
        account._settle_gaps()
        gap = account._get_next_gap(session.tried)
        if not gap or len(session.tried) >= MAX_TRIED:
            return None
        return ("gap", gap.id), fetch_again, (gap.stream, gap.provider_ref)

    def _store_gap(self, account, session, pulled):
        """Store a mail that was missing; or keep why it is not here all the same.

        :return: how many mails were stored
        """
        gap = self.env["easycrm.email.gap"].browse(session.task[1]).exists()
        if not gap or not account._is_running():
            return 0  # another worker has filled it; or it is stopped, and stays one
        count = self._store_again(account, session, gap.stream, pulled)
        account._settle_gaps()
        if gap.exists():
            if gap.provider_ref in pulled.gone or account._is_excluded(gap):
                account._drop_gap(gap)
            else:
                # nobody has said why it is not here: it stays a gap, and is set aside
                session.tried.add(gap.id)
                self._count_attempt(account, gap.id, Permanent("absent"))
        return count

    def _bear_comparison(self, session, account, error):
        """Tell whether the session goes on after an error of one of these calls."""
        kind, record_id = session.task
        if kind == "held" and isinstance(error, Gone):
            folder = self.env["easycrm.email.folder"].browse(record_id)
            session.missing.append(account._explain_missing(folder.name))
            self._retrying(self._pass_over, account, folder)
            return True
        if kind == "held":
            # what the mailbox has handed over stands: only this is made again later
            self._retrying(account._put_check_off)
        if session.overdue or isinstance(error, (Permanent, Reconnect)):
            return False
        if kind == "gap":
            session.tried.add(record_id)
            self._retrying(self._count_attempt, account, record_id, error)
        return True

    def _pass_over(self, account, folder):
        """Record that a folder is not there: the next run looks what became of it."""
        folder.write({"checked_at": fields.Datetime.now(), "week_days": False})
        account.folders_at = False

    def _count_attempt(self, account, gap_id, error):
        """Count that a mail was fetched in vain, and set it aside in the end."""
        gap = self.env["easycrm.email.gap"].browse(gap_id).exists()
        gap.attempts += 1
        if gap.attempts >= ATTEMPTS:
            failure = SetAside(gap.provider_ref, account._explain_error(error))
            Ingest(account, gap.stream).set_aside([failure])
            account._settle_gaps()

    def _get_gap_pause(self, session):
        """Return the seconds before which the next missing mail must not be fetched."""
        budget = session.provider.budget
        return budget.wait(SPARED_UNITS) if budget else 0
