import base64

from odoo import api, fields, models
from odoo.exceptions import MissingError
from odoo.tools import SQL

from . import access

#: Bytes of an inline image that goes into the document itself.
EMBEDDED_IMAGE = 2_000_000

#: What a browser may show by itself. All else is kept as a mere download, HTML and SVG
#: above all: they could run scripts in the reader's session.
SHOWN = {
    "application/pdf",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
}


class EasycrmEmailAttachment(models.Model):
    """One attachment of an email, whether its bytes are here or still in the mailbox.

    An `ir.attachment` without bytes keeps no size, hence rows of our own.
    """

    _name = "easycrm.email.attachment"
    _description = "Email Attachment"
    _inherit = ["easycrm.email.access"]
    _order = "id"
    _log_access = False

    email_id = fields.Many2one(
        "easycrm.email", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(required=True)
    mimetype = fields.Char(required=True)
    size = fields.Integer(help="In bytes.")
    content_id = fields.Char(help="What the body calls an inline image.")
    inline = fields.Boolean()
    part = fields.Char(required=True, help="Where it stands in the raw mail.")
    checksum = fields.Char(
        help="SHA-256 of its bytes; empty where nobody has seen them."
    )
    attachment_id = fields.Many2one(
        "ir.attachment",
        ondelete="set null",
        index="btree_not_null",
        help="Set once the bytes are here.",
    )

    @api.model
    def _get_access_sql(self, alias):
        email_id = SQL.identifier(alias, "email_id")
        return access.visible_content(self.env, email_id, "everything")

    def _get_bytes(self):
        """Return the attachment as `ir.attachment`, fetched from a mailbox if need be.

        Of the images within the text all are fetched: a reader asks for all.

        :raise AccessError: it is not for this user
        :raise MissingError: the body, read for it, has no such attachment
        :raise UserError: no mailbox that holds it can be reached, in plain words
        """
        self.ensure_one()
        self.check_access("read")
        line = self.sudo()
        if line.email_id._is_provisional():
            part = line.part
            email = line.email_id._read_large()
            line = email.attachment_line_ids.filtered(lambda one: one.part == part)
            if not line:
                raise MissingError(
                    self.env._(
                        "This attachment is not in the email. Open the email again to "
                        "see what it holds."
                    )
                )
            # the large mail may have become one with an email that is not for the user
            line.with_env(self.env).check_access("read")
        if not line.attachment_id:
            email = line.email_id
            lines = line
            if line.inline:
                lines = email.attachment_line_ids.filtered("inline")
            lines._keep(email._fetch_files(lines._get_missing()))
        # readable by whoever may read the line that it belongs to
        return line.attachment_id.with_env(self.env)

    def _get_missing(self):
        """Return {part: checksum} of those whose bytes are not here."""
        return {line.part: line.checksum for line in self if not line.attachment_id}

    def _get_image_url(self, embedded):
        """Return the URL of an inline image.

        :param bool embedded: as a data: URL, of what is here; the frame then needs no
            access to this server
        """
        self.ensure_one()
        if not embedded:
            return f"/easycrm_mail/attachment/{self.id}"
        file = self.sudo().attachment_id
        if self.mimetype not in SHOWN or not file or file.file_size > EMBEDDED_IMAGE:
            return ""
        return f"data:{self.mimetype};base64,{base64.b64encode(file.raw).decode()}"

    def _keep(self, files):
        """Store bytes; those that are here already stay as they are.

        :param dict files: {part: bytes} of one email
        """
        self.flush_model(["attachment_id"])
        # whoever fetches the same at the same time waits here, and is told so by a
        # serialization error
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM easycrm_email_attachment
                WHERE id = ANY(%s) AND part = ANY(%s) AND attachment_id IS NULL
                FOR UPDATE
                """,
                self.ids,
                list(files),
            ),
            log_exceptions=False,
        )
        self.invalidate_recordset(["attachment_id"])
        # the file as it was sent: core would scale large images down
        File = self.env["ir.attachment"].with_context(image_no_postprocess=True)
        for line in self.browse([row[0] for row in self.env.cr.fetchall()]):
            line.attachment_id = File.create(
                {
                    "name": line.name,
                    "mimetype": line.mimetype,
                    "raw": files[line.part],
                    "res_model": line._name,
                    "res_id": line.id,
                }
            )
            if line.mimetype not in SHOWN:
                # apart: core guesses the type of new bytes that have none, HTML again
                line.attachment_id.mimetype = "application/octet-stream"
