from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

ROLES = ("to", "cc", "bcc")

#: The field of an outgoing email that holds the record it is written from.
RECORD_FIELDS = {"res.partner": "partner_id", "crm.lead": "lead_id"}

#: Characters of one piece of a text, which an image within it is. Where one is longer
#: Odoo's own reading of the text ends (XML_MAX_TEXT_LENGTH of libxml2).
MAX_PIECE = 9_900_000

#: What the window may change.
WRITTEN = {
    *("account_id", "from_address", "recipients", "subject", "body"),
    *("attachment_ids", "track_opens", "quoted_kept", "res_ids"),
}


class EasycrmEmailCompose(models.TransientModel):
    """The Send Email window.

    It edits one outgoing email, which outlives it: what is written is saved there while
    it is written. Opened for several records, it holds what is common to their emails;
    each record gets an email of its own when it is sent.
    """

    _name = "easycrm.email.compose"
    _description = "Send Email"
    _inherit = ["mail.composer.mixin"]
    # a window may stand open over the night in which old ones are deleted
    _transient_max_hours = 72.0

    outgoing_id = fields.Many2one(
        "easycrm.email.outgoing", string="Draft", ondelete="set null", readonly=True
    )
    res_model = fields.Selection(
        [("res.partner", "Contact"), ("crm.lead", "Lead or Opportunity")],
        string="Written From",
        readonly=True,
    )
    res_ids = fields.Json(string="Records", readonly=True)
    many = fields.Boolean(
        string="An Email Each", readonly=True, help="Each of the records gets one."
    )
    reply_to_id = fields.Many2one(
        "easycrm.email", string="Answered Email", ondelete="set null", readonly=True
    )
    reply_kind = fields.Selection(
        [
            ("new", "New email"),
            ("reply", "Reply"),
            ("reply_all", "Reply all"),
            ("forward", "Forward"),
        ],
        required=True,
        default="new",
        readonly=True,
    )
    account_id = fields.Many2one("easycrm.email.account", string="Mailbox")
    from_address = fields.Char(string="From")
    recipients = fields.Json(help="Lists of people, by “to”, “cc” and “bcc”.")
    quoted_html = fields.Text(string="Quoted Text", readonly=True)
    quoted_kept = fields.Boolean(default=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Attachments")
    taken = fields.Json(
        help="Ids of the forwarded email's attachments that were taken along, by "
        "“forwarded”, and of the files that came with the template, by “template”.",
        readonly=True,
    )
    track_opens = fields.Boolean(string="Tell Me When It Is Opened")

    @api.depends("res_model")
    def _compute_render_model(self):
        for compose in self:
            compose.render_model = compose.res_model

    @api.model
    def default_get(self, fields):
        """Fill the window in by what it is opened from, as the context tells.

        A draft (`easycrm_outgoing_id`); an email to answer (`easycrm_email_id` and
        `easycrm_reply_kind`); one record or several (`active_model`, `active_ids`).
        """
        values = super().default_get(fields)
        context = self.env.context
        if context.get("easycrm_outgoing_id"):
            draft = self.env["easycrm.email.outgoing"].browse(
                context["easycrm_outgoing_id"]
            )
            values |= self._get_draft_values(draft)
        else:
            values |= self._get_record_values()
            if context.get("easycrm_email_id"):
                email = self.env["easycrm.email"].browse(context["easycrm_email_id"])
                kind = context.get("easycrm_reply_kind") or "reply"
                values |= self._get_reply_values(email, kind)
            values |= self._get_from_values(values)
            values["body"] = Markup("<p><br></p>%s") % self._get_signature()
        return {name: value for name, value in values.items() if name in fields}

    def _get_record_values(self):
        """Return what follows from the records that it is opened from."""
        model = self.env.context.get("active_model")
        if model not in RECORD_FIELDS:
            return {"recipients": {role: [] for role in ROLES}}
        ids = self.env.context.get("active_ids") or [self.env.context.get("active_id")]
        records = self.env[model].browse([one for one in ids if one]).exists()
        records.check_access("read")
        people = records._easycrm_get_recipients()
        is_one = len(records) == 1
        to = [person for person in people.values() if person] if is_one else []
        return {
            "res_model": model,
            "res_ids": records.ids,
            "many": not is_one,
            "recipients": {"to": to, "cc": [], "bcc": []},
        }

    def _get_draft_values(self, draft):
        draft.check_access("write")
        record = draft.partner_id or draft.lead_id
        recipients = {role: [] for role in ROLES}
        for one in draft.recipient_ids:
            recipients[one.role].append(
                {
                    "name": one.name or "",
                    "address": one.address,
                    "partner_id": one.partner_id.id,
                }
            )
        return {
            "outgoing_id": draft.id,
            "res_model": record._name if record else False,
            "res_ids": record.ids,
            "reply_to_id": draft.reply_to_id.id,
            "reply_kind": draft.reply_kind,
            "account_id": draft.account_id.id,
            "from_address": draft.from_address,
            "recipients": recipients,
            "subject": draft.subject,
            # (somebody of the team may have begun it)
            "body": draft.body
            if draft.create_uid == self.env.user
            else draft._sanitize(draft.body),
            "quoted_html": draft.quoted_html,
            "template_id": draft.template_id.id,
            "attachment_ids": [Command.set(draft.attachment_ids.ids)],
            "taken": draft.taken,
            "track_opens": draft.track_opens,
        }

    @api.model
    def _get_from_values(self, values):
        """Return the mailbox to begin with: the last used, or that of the email."""
        options = self.env["easycrm.email.account"].easycrm_send_options()
        usable = [option for option in options if not option["why_not"]] or options
        email = self.env["easycrm.email"].browse(values.get("reply_to_id"))
        if email:
            # it is answered from where it came to
            own = email.copy_ids.account_id.ids
            usable.sort(key=lambda option: option["account_id"] not in own)
            people = email.participant_ids.mapped("address")
            usable.sort(key=lambda option: option["address"] not in people)
        if not usable:
            return {}
        return {
            "account_id": usable[0]["account_id"],
            "from_address": usable[0]["address"],
        }

    @api.model
    def _get_signature(self):
        """Return the user's signature as it stands below a text, if he has one."""
        signature = Markup(self.env.user.signature or "")
        if not signature.striptags():
            return Markup()
        return Markup('<div class="o-signature-container">%s</div>') % signature

    @api.model
    def _get_action(self, **context):
        """Return the action that opens the window, see `default_get`."""
        return {
            "type": "ir.actions.client",
            "tag": "easycrm_mail.compose",
            "params": {"context": context},
        }

    # --- what the window calls ---

    @api.model
    def easycrm_open(self):
        """Open a window, see `default_get`; a draft of the same is gone on with.

        :return: dict, see `_get_window`
        """
        draft_id = self.env.context.get("easycrm_outgoing_id") or self._find_draft().id
        opened = self.with_context(easycrm_outgoing_id=draft_id)
        return opened.create({})._get_window()

    @api.model
    def _find_draft(self):
        """Return the user's last draft of what is about to be written, if any."""
        context = self.env.context
        model, ids = context.get("active_model"), context.get("active_ids") or []
        if context.get("active_id"):
            ids = [context["active_id"]]
        if len(ids) > 1 or not (ids or context.get("easycrm_email_id")):
            return self.env["easycrm.email.outgoing"]
        domain = Domain("state", "=", "draft") & Domain("user_id", "=", self.env.uid)
        for name, field in RECORD_FIELDS.items():
            domain &= Domain(field, "=", ids[0] if ids and model == name else False)
        domain &= Domain("reply_to_id", "=", context.get("easycrm_email_id", False))
        kind = context.get("easycrm_reply_kind") or "new"
        domain &= Domain("reply_kind", "=", kind)
        domain &= Domain("batch", "=", False)
        return self.env["easycrm.email.outgoing"].search(
            domain, order="write_date desc, id desc", limit=1
        )

    def easycrm_save(self, values):
        """Keep what is written, in the draft that outlives the window.

        :param dict values: of the fields in `WRITTEN`
        :return: dict with `outgoing_id` and `saved_at`
        :raise UserError: it is on its way already
        """
        self.ensure_one()
        self._write_window(values)
        return {
            "outgoing_id": self._save_draft().id,
            "saved_at": fields.Datetime.to_string(fields.Datetime.now()),
        }

    def _write_window(self, values):
        values = {name: value for name, value in values.items() if name in WRITTEN}
        if "res_ids" in values:
            # (records are taken out, others do not come in)
            kept = set(values["res_ids"])
            values["res_ids"] = [one for one in self.res_ids or [] if one in kept]
        if self._is_body_locked():
            values.pop("body", None)
        self._check_text(values.get("body") or "")
        if "recipients" in values:
            values["recipients"] = self._read_recipients(values["recipients"])
        if "attachment_ids" in values:
            files = self.env["ir.attachment"].browse(values["attachment_ids"]).exists()
            files.check_access("read")
            values["attachment_ids"] = [Command.set(files.ids)]
        self.write(values)

    def _check_text(self, body):
        """Check that a text can be kept whole: an image may be written into it.

        :raise UserError: it cannot be
        """
        if max(map(len, body.split('"'))) > MAX_PIECE:
            raise UserError(
                self.env._(
                    "An image in the text is too large. Take it out, and add it as an "
                    "attachment."
                )
            )

    def _save_draft(self):
        """Write the draft anew; none is kept of what goes to several."""
        if self.many:
            return self.outgoing_id
        record = self._get_records()
        values = self._get_outgoing_values(record, self.subject, self.body)
        values["recipient_ids"] = [
            Command.clear(),
            *self._get_recipient_commands(self.recipients),
        ]
        values["attachment_ids"] = [Command.set(self.attachment_ids.ids)]
        values["taken"] = self.taken
        outgoing = self.outgoing_id
        if not outgoing:
            outgoing = self.outgoing_id = outgoing.create(values)
        elif outgoing.state == "draft":
            outgoing.write(values)
        else:
            raise UserError(self.env._("This email is on its way already."))
        files = self.attachment_ids | outgoing._find_images()
        self._hand_files_over(files, outgoing)
        return outgoing

    def _get_records(self):
        """Return the records that it is written from, of none of the models perhaps."""
        if not self.res_model:
            return None
        return self.env[self.res_model].browse(self.res_ids or []).exists()

    def _get_outgoing_values(self, record, subject, body):
        """Return what an outgoing email of that record gets from here."""
        return {
            "account_id": self.account_id.id,
            "from_address": self.from_address,
            "reply_to_id": self.reply_to_id.id,
            "reply_kind": self.reply_kind,
            "subject": subject,
            "body": body,
            "quoted_html": self.quoted_kept and self.quoted_html,
            "template_id": self.template_id.id,
            "track_opens": self.track_opens,
            **({RECORD_FIELDS[record._name]: record.id} if record else {}),
        }

    def _hand_files_over(self, files, outgoing):
        """Have files that were uploaded into the window go along with the email.

        :param files: those of other records stay where they are
        """
        # (he may write both, and could not name the one before it was there)
        files = files.sudo().exists()
        mine = files.filtered(
            lambda file: file.res_model == self._name and file.res_id == self.id
        )
        mine.write({"res_model": outgoing._name, "res_id": outgoing.id})

    def easycrm_discard(self):
        """Throw away what was written, and the window with it."""
        for compose in self:
            draft = compose.outgoing_id
            if draft.state == "draft":
                if draft.sudo()._get_clear_moment():
                    # (sending was tried: its mailbox may hold a draft of its own)
                    draft.action_discard()
                else:
                    draft.unlink()
            compose.unlink()
