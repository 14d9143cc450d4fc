import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .addresses import normalise
from .easycrm_email_participant import ROLES

#: What its writer decides, as long as it is a draft; all else follows from it.
WRITTEN_FIELDS = {
    "account_id",
    "attachment_ids",
    "batch",
    "body",
    "from_address",
    "from_name",
    "lead_id",
    "partner_id",
    "quoted_html",
    "recipient_ids",
    "reply_kind",
    "reply_to_id",
    "scheduled_at",
    "subject",
    "taken",
    "template_id",
    "track_opens",
}

#: What a subject must not bring along: a field of the header on a line of its own.
INJECTED = re.compile(r"[\r\n][ \t]*[A-Za-z0-9-]+[ \t]*:")

#: White space that no header may hold, and what is around it.
BREAKS = re.compile(r" *[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+\s*")

#: States in which it may be out, or on its way.
UNDER_WAY = ("queued", "sending", "doubt")


class EasycrmEmailOutgoing(models.Model):
    """A mail that is written here: the outbox.

    draft      it is written; only its writer knows of it
    queued     it leaves at `scheduled_at`, and carries its Message-ID
    sending    committed before the mailbox's service is called, by the cron alone
    sent       the service has said so, or its copy was found in the mailbox
    refused    it certainly did not go out, and would not by itself
    doubt      nobody knows: the mailbox is asked for it, then its writer
    cancelled  it does not go out any more
    """

    _name = "easycrm.email.outgoing"
    _description = "Outgoing Email"
    _order = "id desc"
    _rec_name = "subject"

    account_id = fields.Many2one(
        "easycrm.email.account",
        string="Mailbox",
        ondelete="set null",
        index="btree_not_null",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Written By",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.user,
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", ondelete="set null", index="btree_not_null"
    )
    lead_id = fields.Many2one(
        "crm.lead",
        string="Lead/Opportunity",
        ondelete="set null",
        index="btree_not_null",
    )
    email_id = fields.Many2one(
        "easycrm.email",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="As it stands on timelines, once it is sent.",
    )
    reply_to_id = fields.Many2one(
        "easycrm.email",
        string="Answers",
        ondelete="set null",
        index="btree_not_null",
    )
    reply_kind = fields.Selection(
        [
            ("new", "New"),
            ("reply", "Reply"),
            ("reply_all", "Reply to all"),
            ("forward", "Forward"),
        ],
        required=True,
        default="new",
    )
    from_address = fields.Char(string="From")
    from_name = fields.Char()
    recipient_ids = fields.One2many(
        "easycrm.email.outgoing.recipient", "outgoing_id", string="Recipients"
    )
    subject = fields.Char()
    # (as written: what leaves is sanitised when the mail is made)
    body = fields.Text()
    quoted_html = fields.Text(help="What is answered or forwarded, below the text.")
    attachment_ids = fields.Many2many(
        "ir.attachment",
        "easycrm_email_outgoing_attachment_rel",
        "outgoing_id",
        "attachment_id",
        string="Attachments",
    )
    template_id = fields.Many2one("mail.template", ondelete="set null")
    taken = fields.Json(help="What files were made of, see `easycrm.email.compose`.")
    track_opens = fields.Boolean()
    batch = fields.Char(help="What was written to several people in one go.")

    message_id = fields.Char(string="Message-ID", readonly=True, copy=False)
    sent_message_id = fields.Char(
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="The Message-ID that the service gave it.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("queued", "Planned"),
            ("sending", "Being sent"),
            ("doubt", "Not sure it was sent"),
            ("sent", "Sent"),
            ("refused", "Not sent"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
    )
    scheduled_at = fields.Datetime(copy=False)
    planned_in = fields.Char(
        readonly=True,
        copy=False,
        help="The database that is to send it: a copy of that one must not.",
    )
    handed_at = fields.Datetime(readonly=True, copy=False)
    sent_at = fields.Datetime(readonly=True, copy=False)
    asked_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When its writer was asked what is to become of it.",
    )
    error = fields.Char(readonly=True, copy=False)
    error_kind = fields.Selection(
        [
            ("retry", "Passes by itself"),
            ("reconnect", "Sign in again"),
            ("permanent", "A setting must change"),
            ("refused", "Refused"),
            ("doubtful", "Not known"),
        ],
        readonly=True,
        copy=False,
    )
    looked_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When it was last known for certain that it had not gone out.",
    )
    attempts = fields.Integer(readonly=True, copy=False)
    next_try_at = fields.Datetime(readonly=True, copy=False)
    replaced_by_id = fields.Many2one(
        "easycrm.email.outgoing",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="The same mail, sent again by hand.",
    )

    _message_id_unique = models.UniqueIndex("(message_id) WHERE message_id IS NOT NULL")
    _due_idx = models.Index(
        "(state, scheduled_at) WHERE state IN ('queued', 'sending', 'doubt')"
    )
    _handed_idx = models.Index("(account_id, handed_at) WHERE handed_at IS NOT NULL")

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("subject")
    def _compute_display_name(self):
        # (core reads the names of what records point to as superuser)
        readable = self.sudo(False)._filtered_access("read")
        for mail in self:
            mine = mail.sudo(False)
            title = mail.subject or self.env._("(no subject)")
            mail.display_name = title if mine in readable else ""

    @api.model_create_multi
    def create(self, vals_list):
        # (what the context gives by default is written too)
        given = {
            name: value
            for key, value in self.env.context.items()
            if (name := key.removeprefix("default_")) != key and name in self._fields
        }
        for vals in vals_list:
            self._check_may_write({**given, **vals})
        return super().create([self._put_on_one_line(vals) for vals in vals_list])

    def write(self, vals):
        self._check_may_write(vals)
        return super().write(self._put_on_one_line(vals))

    @api.model
    def _put_on_one_line(self, vals):
        """Return what is written, the subject's tabs and line breaks made spaces.

        One that would be another field of the header is left, and refused when the mail
        is sent.
        """
        subject = vals.get("subject")
        if not subject or INJECTED.search(subject):
            return vals
        return {**vals, "subject": BREAKS.sub(" ", subject).strip()}

    @api.ondelete(at_uninstall=False)
    def _unlink_except_under_way(self):
        if self.filtered(lambda mail: mail.state in UNDER_WAY):
            raise UserError(
                self.env._("This email is on its way. Cancel it before you delete it.")
            )

    def unlink(self):
        files = self.sudo().attachment_ids.filtered(self._owns)
        result = super().unlink()
        files.exists().unlink()
        return result

    def _owns(self, attachment):
        """Tell whether the file is of one of these mails alone."""
        return attachment.res_model == self._name and attachment.res_id in self.ids

    def _check_may_write(self, vals):
        """Keep users to drafts of theirs, and to records that they may read.

        :raise AccessError: something is not theirs to write
        :raise UserError: it is no draft any more
        """
        if self.env.su:
            return
        own = {"user_id"} if vals.get("user_id") == self.env.uid else set()
        if set(vals) - WRITTEN_FIELDS - own:
            raise AccessError(self.env._("Only the outbox itself can change this."))
        self._check_is_draft()
        for name in ("partner_id", "lead_id", "reply_to_id", "account_id"):
            if vals.get(name):
                record = self.env[self._fields[name].comodel_name].browse(vals[name])
                record.check_access("read")

    def _check_is_draft(self):
        if any(mail.state != "draft" for mail in self.sudo()):
            raise UserError(
                self.env._(
                    "This email is a draft no more. Undo or cancel its sending first."
                )
            )

    def _hold_draft(self):
        """Check that these are drafts; whoever sends one meanwhile has to begin anew.

        Its recipients are rows of their own: without a new version of the mail's row he
        would not know that they are not those that he saw.
        """
        self._check_is_draft()
        self.env.cr.execute(
            SQL(
                "UPDATE easycrm_email_outgoing SET write_date = write_date"
                " WHERE id = ANY(%s)",
                self.ids,
            )
        )

    def _get_record(self):
        """Return the record that it is written from; an empty contact if none."""
        self.ensure_one()
        return self.lead_id or self.partner_id


class EasycrmEmailOutgoingRecipient(models.Model):
    """Somebody who is to get a mail."""

    _name = "easycrm.email.outgoing.recipient"
    _description = "Recipient of an Outgoing Email"
    _order = "id"
    _rec_name = "address"

    outgoing_id = fields.Many2one(
        "easycrm.email.outgoing", required=True, ondelete="cascade", index=True
    )
    role = fields.Selection(
        [role for role in ROLES if role[0] != "from"], required=True, default="to"
    )
    name = fields.Char()
    address = fields.Char(required=True)
    partner_id = fields.Many2one(
        "res.partner", ondelete="set null", index="btree_not_null"
    )
    refused = fields.Char(readonly=True, help="Why it does not get there.")

    @api.depends("name", "address")
    def _compute_display_name(self):
        for person in self:
            person.display_name = person.name or person.address

    @api.model_create_multi
    def create(self, vals_list):
        people = super().create(vals_list)
        if not self.env.su and any(person.refused for person in people):
            raise AccessError(self.env._("Only the outbox itself can change this."))
        people._check_may_write()
        return people

    def write(self, vals):
        if "refused" in vals and not self.env.su:
            raise AccessError(self.env._("Only the outbox itself can change this."))
        # (they may go from one mail to another: both are to be drafts of his)
        self._check_may_write()
        result = super().write(vals)
        self._check_may_write()
        if "outgoing_id" in vals:
            # (rules are checked before only: it would be a copy to himself in secret)
            self.check_access("write")
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_under_way(self):
        self._check_may_write()

    def _check_may_write(self):
        if not self.env.su:
            self.outgoing_id._hold_draft()
            self.partner_id.check_access("read")

    def _is_at(self, address):
        """Tell whether that is this person's address, in whichever spelling."""
        self.ensure_one()
        return normalise(self.address) == normalise(address)
