from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class EasycrmEmailBatch(models.Model):
    """What somebody did to emails in one go, kept so that it can be told and undone.

    `create_uid` and `create_date` say who and when. Read by nobody but the methods that
    tell of it: it names records and emails that may be hidden.
    """

    _name = "easycrm.email.batch"
    _description = "Step with Emails"
    _order = "id desc"
    _rec_name = "kind"

    kind = fields.Selection(
        [
            ("link", "Linked"),
            ("take_off", "Taken off"),
            ("put_back", "Put back"),
            ("ignore", "Ignored"),
            ("bring_back", "Brought back"),
        ],
        required=True,
    )
    scope = fields.Selection(
        [
            ("these", "Only these"),
            ("thread", "The whole conversation"),
            ("address", "Always this address"),
            ("domain", "Always this domain"),
        ],
        required=True,
        default="these",
    )
    partner_id = fields.Many2one("res.partner", ondelete="set null", index=True)
    lead_id = fields.Many2one("crm.lead", ondelete="set null", index=True)
    record_name = fields.Char(
        groups=fields.NO_ACCESS, help="As it was called: it may be deleted since."
    )
    line_ids = fields.One2many("easycrm.email.batch.line", "batch_id")
    undone_at = fields.Datetime()
    undone_uid = fields.Many2one("res.users", ondelete="set null")

    _recent_idx = models.Index("(create_uid, id DESC)")

    @api.model
    def _start(self, kind, record=None, scope="these"):
        """Begin a step of the current user.

        :param record: the contact, lead or opportunity that it is about
        :return: the batch, as superuser
        """
        vals = {"kind": kind, "scope": scope, "companies": self.env.companies.ids}
        if record:
            owner = self.env["easycrm.email.address"]._get_owner_field(record._name)
            vals |= {owner: record.id, "record_name": record.sudo().display_name}
        return self.sudo().create(vals)

    @api.model
    def _find(self, batch_id):
        """Return that step of the current user, as superuser.

        :raise AccessError: there is none, or it is somebody else's
        """
        batch = self.sudo().browse(int(batch_id)).exists()
        if batch.create_uid != self.env.user:
            raise AccessError(
                self.env._("Only the person who did this can change or undo it.")
            )
        return batch

    def _get_record(self):
        """Return the record that it is about; an empty contact if that is gone."""
        self.ensure_one()
        return self.lead_id or self.partner_id

    @api.model
    def _fold(self, records, into):
        """Let steps with merged records be steps with the one that stays."""
        owner = self.env["easycrm.email.address"]._get_owner_field(into._name)
        steps = self.search([(owner, "in", records.ids)])
        steps[owner] = into
        for step in steps.filtered(lambda step: (step.todo or {}).get("addresses")):
            # (an Undo under way goes on where the links are now)
            addresses = [address for *_owner, address in step.todo["addresses"]]
            moved = [[owner, into.id, address] for address in addresses]
            step.todo = {**step.todo, "addresses": moved}

    def _keep(self, field, rows):
        """Keep what a step did to rows, and what was there before.

        :param str field: `link_id` or `copy_id`: which rows
        :param list rows: of (email id, id of the row, values of before as JSON or None)
        """
        self.ensure_one()
        if not rows:
            return
        email_ids, row_ids, before = zip(*rows, strict=True)
        self.env["easycrm.email.batch.line"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_batch_line (batch_id, email_id, %s, before)
                SELECT %s, email_id, row_id, before::jsonb
                FROM unnest(%s::int[], %s::int[], %s::text[])
                    AS line (email_id, row_id, before)
                """,
                SQL.identifier(field),
                self.id,
                list(email_ids),
                list(row_ids),
                list(before),
            )
        )
        self.env["easycrm.email.batch.line"].invalidate_model(flush=False)
        self.invalidate_model(["line_ids"], flush=False)


class EasycrmEmailBatchLine(models.Model):
    """One row that a step has made or changed."""

    _name = "easycrm.email.batch.line"
    _description = "Email of a Step"
    _rec_name = "email_id"
    _log_access = False

    batch_id = fields.Many2one(
        "easycrm.email.batch", required=True, ondelete="cascade", index=True
    )
    email_id = fields.Many2one(
        "easycrm.email", required=True, ondelete="cascade", index=True
    )
    link_id = fields.Many2one(
        "easycrm.email.link", ondelete="set null", index="btree_not_null"
    )
    copy_id = fields.Many2one(
        "easycrm.email.copy", ondelete="cascade", index="btree_not_null"
    )
    before = fields.Json(help="Its values before; empty if the step has made it.")
