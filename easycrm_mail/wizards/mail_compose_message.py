import logging
import re
from functools import reduce

from lxml import html
from markupsafe import Markup, escape

from odoo import Command, models
from odoo.tools.mail import email_normalize, html_normalize
from odoo.tools.misc import split_every

from ..esp import MAX_RECIPIENTS, fences
from ..models.bulk_writer import BulkWriter
from ..models.mailing_mailing import TimeUp, Unwritable
from ..models.retrying import PASSING, Retrying

_logger = logging.getLogger(__name__)

#: Characters of what is wrong with a text.
MAX_SAID = 200

#: Recipients that cannot be written to, and nobody beside them who can: then it is not
#: because of them.
ENOUGH = 20

#: What Odoo renders without its template engine: the value of a field, and a default.
_FIELD = re.compile(
    r"""<(?P<tag>\w+)[\s|\n]+t-out=[\s|\n]*(?P<quote>['"])(?P<path>[\w.]+)(?P=quote)"""
    r"""[\s|\n]*(?:/>|>[\s|\n]*(?P<default>[^<>]*?)[\s|\n]*</(?P=tag)>)""",
    re.DOTALL,
)


def _get_first_words(error):
    """Return what was wrong at first, without what was told around it."""
    while error.__cause__:
        error = error.__cause__
    words = str(error).strip().splitlines() or [type(error).__name__]
    return words[0][:MAX_SAID]


class Emails(set):
    """Addresses, added to as Odoo adds to its list; who is among them is told at once.

    (In a list everybody is compared with all before him: 50,000 times 50,000.)
    """

    def __iadd__(self, emails):
        self.update(emails)
        return self


class BulkPages(Retrying):
    """Writes a mailing's recipients, page by page.

    Who cannot be written to keeps nobody waiting: of a page that fails each half is
    tried by itself, down to the one record, which is set aside with its reason.

    :param composer: the `mail.compose.message`
    """

    def __init__(self, composer):
        self.env = composer.env
        self.plain = composer
        self.is_crossed = False
        self._begin()
        self.failed = {}  # record id -> words; not set aside yet
        self.is_any = False  # something of the page is written

    def _begin(self):
        self.composer = self.plain.with_context(
            easycrm_fence=True, easycrm_memo={}, post_convert_links=False
        )
        self.writer = BulkWriter(self.plain.mass_mailing_id.sudo())

    def write_and_commit(self, page):
        """Write a page; again when another transaction crossed.

        :raise Unwritable: its text cannot be written for anybody of it
        :raise TimeUp: what is left of it is for another run
        """
        error = self._try(page)
        if not error:
            return
        self.failed, self.is_any = {}, False
        self._write_halves(page, error)
        if not self.failed:
            return
        if not self.writer.seen:
            self._pause()
        # (a last page of few, after others that were written)
        self._set_aside()

    def _try(self, page):
        """Write a page and commit; return what is wrong with it, or None."""
        try:
            self._retrying(self.write_page, page)
        except PASSING:
            raise
        except Exception as error:
            _logger.info("A mailing cannot be written", exc_info=True)
            self._roll_back()
            # (nothing is known any more of what was written in vain)
            self._begin()
            return error
        return None

    def _write_halves(self, page, error):
        if len(page) == 1:
            self.failed[page[0]] = _get_first_words(error)
            if self.is_any:
                self._set_aside()
            elif len(self.failed) >= ENOUGH:
                self._pause()
            return
        half = len(page) // 2
        for part in (page[:half], page[half:]):
            if error := self._try(part):
                self._write_halves(part, error)
            else:
                self.is_any = True
                self._set_aside()

    def _set_aside(self):
        """Keep who could not be written to, among those that were not taken."""
        if self.failed:
            self._retrying(self._write_failed, self.failed)
            self.failed = {}
        if not self.env["ir.cron"]._commit_progress():
            raise TimeUp

    def _write_failed(self, failed):
        mailing = self.plain.mass_mailing_id.sudo()
        self._forget_retried(list(failed))
        ids = self._leave_out_written(list(failed))
        # (one may have been deleted meanwhile)
        records = self.env[self.plain.model].sudo().browse(ids).exists()
        emails = records._mail_get_primary_email()
        self.env["mailing.trace"].sudo().create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": self.plain.model,
                    "res_id": res_id,
                    "email": email_normalize(emails.get(res_id), strict=False),
                    "easycrm_esp_id": mailing.easycrm_esp_id.id,
                    "trace_status": "error",
                    "failure_type": "unknown",
                    "failure_reason": failed[res_id],
                }
                for res_id in ids
            ]
        )

    def _pause(self):
        """Pause the mailing: its text is wrong, and not some of the recipients."""
        res_id, words = next(iter(self.failed.items()))
        record = self.env[self.plain.model].sudo().browse(res_id)
        mailing = self.plain.mass_mailing_id.sudo()
        env = mailing.with_context(lang=mailing.user_id.lang).env
        mailing._easycrm_pause(
            reason=env._(
                "It cannot be written for %(name)s, and others: %(reason)s",
                name=record.display_name,
                reason=words,
            )
        )
        # (nothing remains for this run: Odoo would repeat it at once, for ever)
        self.env["ir.cron"]._commit_progress(remaining=0)
        raise Unwritable

    def write_page(self, page):
        """Write a page: ids of the recipients' records."""
        if self.attempt > 1:
            # (nothing is known any more of what was written meanwhile)
            self._begin()
            self.is_crossed = True
        self._forget_retried(page)
        if self.is_crossed:
            page = self._leave_out_written(page)
        composer = self.composer
        values = composer._manage_mail_values(composer._prepare_mail_values(page))
        recipients = composer._get_recipients_data(values)
        self.writer.write_page(composer.model, values, recipients)
        self.env.flush_all()

    def move_on(self):
        """Move what is written to the sender that a person has chosen meanwhile."""
        self.env.invalidate_all()
        mailing = self.plain.mass_mailing_id.sudo()
        if mailing.easycrm_esp_id != self.writer.esp:
            self._retrying(mailing._easycrm_move_waiting)

    def _forget_retried(self, page):
        """Forget who failed, in the transaction that writes to him again."""
        retried = self.env.context.get("easycrm_retried")
        if retried:
            ids = set(page)
            traces = self.env["mailing.trace"].sudo().browse(retried).exists()
            traces.filtered(lambda trace: trace.res_id in ids).unlink()

    def _leave_out_written(self, page):
        traces = self.env["mailing.trace"].search_fetch(
            [
                ("mass_mailing_id", "=", self.plain.mass_mailing_id.id),
                ("model", "=", self.plain.model),
                ("res_id", "in", page),
            ],
            ["res_id"],
        )
        written = set(traces.mapped("res_id"))
        return [res_id for res_id in page if res_id not in written]


class MailComposeMessage(models.TransientModel):
    """Mailings that go through a bulk sender.

    Odoo goes on deciding who gets what: the blocklist, who has opted out, who is here
    twice, what stands in each mail. Only what it renders is fenced, and instead of a
    mail for each there are batches of the same mail with the values of each.
    """

    _inherit = "mail.compose.message"

    def _action_send_mail_mass_mail(self, res_ids, auto_commit=False):
        if not self._is_mass_mailing() or not self.mass_mailing_id.easycrm_esp_id:
            return super()._action_send_mail_mass_mail(res_ids, auto_commit=auto_commit)
        self._easycrm_prepare(res_ids, auto_commit)
        if self.mass_mailing_name:
            # (the window has made it itself, as one that is sent: it is about to be)
            mailing = self.mass_mailing_id.sudo()
            mailing._easycrm_plan_here()
            mailing.write({"state": "done"})
        return self.env["mail.mail"].sudo()

    def _prepare_mailing_values(self):
        values = super()._prepare_mailing_values()
        if self.scheduled_date or self.template_id.report_template_ids:
            # (each at an hour, or with a file, of his own: a batch has neither)
            values["easycrm_esp_id"] = False
        return values

    def _easycrm_prepare(self, res_ids, auto_commit):
        """Write what is to be sent, a thousand recipients at a time."""
        # (they go along with the batch: a copy for each recipient is not needed)
        self.attachment_ids = [Command.clear()]
        mailing = self.mass_mailing_id.sudo()
        Trace = self.env["mailing.trace"].sudo()
        retried = self.env.context.get("easycrm_retried", ())
        written = Trace.search_count(
            [("mass_mailing_id", "=", mailing.id), ("id", "not in", retried)]
        )
        mailing.write(
            {"easycrm_expected": written + len(res_ids), "easycrm_writing": True}
        )
        if auto_commit is True:
            self.env["ir.cron"]._commit_progress(remaining=len(res_ids))
        pages = BulkPages(self)
        done = 0
        for page in split_every(MAX_RECIPIENTS, res_ids):
            done += len(page)
            if auto_commit is True:
                # what is written is not rendered again after a crash, and goes off
                pages.write_and_commit(page)
                pages.move_on()
                mailing._easycrm_wake()
                remaining = len(res_ids) - done
                left = self.env["ir.cron"]._commit_progress(
                    len(page), remaining=remaining
                )
                if remaining and not left:
                    raise TimeUp
            else:
                pages.write_page(page)
            self.env.invalidate_all()
            if mailing.easycrm_cancelled:  # (meanwhile, by a person)
                mailing._easycrm_cancel_waiting()
                break

    # --- once for all pages what does not change between them ---

    def _get_optout_emails(self, mail_values_dict):
        return self._easycrm_remember_emails(
            "optout", super()._get_optout_emails, mail_values_dict
        )

    def _get_done_emails(self, mail_values_dict):
        # (the caller adds to it whom the page goes to)
        return self._easycrm_remember_emails(
            "done", super()._get_done_emails, mail_values_dict
        )

    def _get_recipients_data(self, mail_values_dict):
        memo = self.env.context.get("easycrm_memo")
        if memo is None:
            return super()._get_recipients_data(mail_values_dict)
        # (asked three times for the same page)
        page, known = memo.get("recipients", (None, None))
        if page != list(mail_values_dict):
            known = super()._get_recipients_data(mail_values_dict)
            memo["recipients"] = (list(mail_values_dict), known)
        return known

    def _easycrm_remember_emails(self, name, find, mail_values_dict):
        memo = self.env.context.get("easycrm_memo")
        if memo is None:
            return find(mail_values_dict)
        if name not in memo:
            memo[name] = Emails(find(mail_values_dict))
        return memo[name]

    # --- fenced rendering ---

    def _render_template_qweb(
        self, template_src, model, res_ids, add_context=None, options=None
    ):
        if not self.env.context.get("easycrm_fence") or not template_src:
            return super()._render_template_qweb(
                template_src, model, res_ids, add_context=add_context, options=options
            )
        if not self._has_unsafe_expression_template_qweb(template_src, model):
            return self._render_template_qweb_regex(template_src, model, res_ids)
        # (not the layout around it, which is one for all)
        composer = self.with_context(easycrm_compiled={}, easycrm_fenced=True)
        try:
            return composer._easycrm_render_qweb(
                template_src, model, res_ids, add_context, options or {}
            )
        except Exception:
            _logger.info("A mailing cannot be rendered fenced", exc_info=True)
        return super()._render_template_qweb(
            template_src, model, res_ids, add_context=add_context, options=options
        )

    def _easycrm_render_qweb(self, template_src, model, res_ids, add_context, options):
        """Do what Odoo does, but read and compile the template once for all."""
        variables = {**self._render_eval_context(), **(add_context or {})}
        if not (
            self._unrestricted_rendering
            or self.env.is_admin()
            or self.env.user.has_group("mail.group_mail_template_editor")
        ):
            options = {**options, "raise_on_forbidden_code_for_model": model}
        template = html.fragment_fromstring(template_src, create_parent="div")
        qweb = self.env["ir.qweb"]
        # (the element that is around it is Odoo's, and taken off)
        return {
            record.id: qweb._render(
                template, {**variables, "object": record}, **options
            )[5:-6]
            for record in self.env[model].browse(res_ids)
        }

    def _render_template_qweb_regex(self, template_src, model, res_ids):
        if not self.env.context.get("easycrm_fence"):
            return super()._render_template_qweb_regex(template_src, model, res_ids)
        source = html_normalize(f"<div>{template_src}</div>")
        if source.startswith("<div>") and source.endswith("</div>"):
            source = source[5:-6]
        literals, found = [], []
        end = 0
        for match in _FIELD.finditer(source):
            if not self.env["ir.qweb"]._is_expression_allowed(match["path"], model):
                raise SyntaxError(f"Invalid expression: {match['path']!r}")
            literals.append(source[end : match.start()])
            found.append((match["tag"], match["path"].split(".")[1:], match["default"]))
            end = match.end()
        literals.append(source[end:])
        return {
            record.id: self._easycrm_fill(literals, found, record)
            for record in self.env[model].browse(res_ids)
        }

    @staticmethod
    def _easycrm_fill(literals, found, record):
        """Write the values of one record, fenced, as Odoo itself writes them."""
        text = literals[0]
        for (tag, path, default), literal in zip(found, literals[1:], strict=True):
            try:
                value = reduce(lambda rec, name: rec[name], path, record) or default
            except KeyError:
                value = default
            value = escape(value or "")
            if tag.lower() != "t":
                value = f"<{tag}>{value}</{tag}>"
            text += f"{fences.OPEN}{value}{fences.CLOSE}{literal}"
        return Markup(text)

    def _render_template_postprocess(self, model, rendered):
        if not self.env.context.get("easycrm_fence"):
            return super()._render_template_postprocess(model, rendered)
        return rendered  # (once for all who get the same: `BulkWriter`)
