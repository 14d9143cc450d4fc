from odoo import api, fields, models
from odoo.tools import SQL

#: What is kept of who wants no emails at all, in whichever language he has said so.
ALL_EMAILS = "all emails"


class MailingTrace(models.Model):
    """What a bulk sender tells about one recipient, beside Odoo's own status."""

    _inherit = "mailing.trace"

    easycrm_batch_id = fields.Many2one(
        "easycrm.esp.batch",
        string="Batch",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    easycrm_esp_id = fields.Many2one(
        "easycrm.esp", string="Sent Through", readonly=True, ondelete="set null"
    )
    easycrm_values = fields.Text(
        groups=fields.NO_ACCESS,
        prefetch=False,  # (kilobytes a recipient, read only to hand them over)
        help="What is written in the recipient's mail.",
    )
    easycrm_event_ids = fields.One2many(
        "easycrm.esp.event", "trace_id", string="Events", readonly=True
    )
    easycrm_delivered_at = fields.Datetime(string="Delivered On", readonly=True)
    easycrm_deferred_at = fields.Datetime(string="Deferred On", readonly=True)
    easycrm_open_count = fields.Integer(
        string="Opened", readonly=True, help="How often, by people."
    )
    easycrm_last_open_at = fields.Datetime(string="Last Opened On", readonly=True)
    easycrm_machine_open_count = fields.Integer(
        string="Opened by Machines",
        readonly=True,
        help="By privacy proxies and scanners: nobody has read it then.",
    )
    easycrm_machine_open_at = fields.Datetime(
        string="First Opened by a Machine", readonly=True
    )
    easycrm_click_count = fields.Integer(
        string="Clicks", readonly=True, help="How often, by people."
    )
    easycrm_bounce_kind = fields.Selection(
        [("hard", "For Good"), ("soft", "For Now"), ("blocked", "Blocked")],
        string="Bounce",
        readonly=True,
    )
    easycrm_complained_at = fields.Datetime(string="Reported as Spam On", readonly=True)
    easycrm_unsubscribed_at = fields.Datetime(string="Unsubscribed On", readonly=True)
    easycrm_unsubscribed_from = fields.Char(
        string="Lists Left", readonly=True, exportable=False
    )
    easycrm_unsubscribed_words = fields.Char(
        string="Unsubscribed From",
        compute="_compute_easycrm_unsubscribed_words",
        help="Lists, or all emails.",
    )

    # the timeline of a record, who answers or unsubscribes, what was answered to
    _easycrm_record_idx = models.Index("(model, res_id, sent_datetime DESC, id)")
    _easycrm_email_idx = models.Index("(email, sent_datetime DESC, id)")
    _easycrm_message_idx = models.Index("(message_id) WHERE message_id IS NOT NULL")

    # (two runs at once do not write to anybody twice)
    _easycrm_address_unique = models.UniqueIndex(
        "(mass_mailing_id, email) WHERE easycrm_batch_id IS NOT NULL"
    )

    @api.depends("email", "easycrm_esp_id")
    def _compute_display_name(self):
        bulk = self.filtered("easycrm_esp_id")
        for trace in bulk:
            trace.display_name = trace.email
        return super(MailingTrace, self - bulk)._compute_display_name()

    @api.depends_context("lang")
    @api.depends("easycrm_unsubscribed_from")
    def _compute_easycrm_unsubscribed_words(self):
        for trace in self:
            trace.easycrm_unsubscribed_words = self._easycrm_say_left(
                trace.easycrm_unsubscribed_from
            )

    @api.model
    def _easycrm_say_left(self, kept):
        """Return what somebody has unsubscribed from, in words.

        :param kept: `easycrm_unsubscribed_from`
        """
        return self.env._("all emails") if kept == ALL_EMAILS else kept

    def _easycrm_keep_left(self, lists):
        """Keep what somebody has unsubscribed from; all emails stays so.

        :param lists: `mailing.list`s; none for all emails
        """
        told = ", ".join(lists.mapped("name")) or ALL_EMAILS
        for trace in self:
            if trace.easycrm_unsubscribed_from != ALL_EMAILS:
                trace.easycrm_unsubscribed_from = told

    @api.model
    def _easycrm_fold(self, records, into):
        """Give what merged records got to the one that stays.

        :param records: contacts, or leads; the one that stays is not among them
        """
        self.flush_model(["model", "res_id"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace SET res_id = %s
                WHERE model = %s AND res_id = ANY(%s)
                """,
                into.id,
                into._name,
                records.ids,
            )
        )
        self.invalidate_model(["res_id"], flush=False)

    def unlink(self):
        self.check_access("unlink")
        self.env["link.tracker.click"]._easycrm_forget("mailing_trace_id", self)
        return super().unlink()
