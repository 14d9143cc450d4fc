from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import Controller, request, route

from ..models.easycrm_email_attachment import SHOWN


class EasycrmAttachment(Controller):
    @route(
        "/easycrm_mail/attachment/<int(min=1):line_id>",
        type="http",
        auth="user",
        readonly=False,
    )
    def attachment(self, line_id, download=False):
        """Serve an attachment, from here or else from the mailbox that holds it."""
        line = request.env["easycrm.email.attachment"].browse(line_id)
        try:
            line.check_access("read")
        except (AccessError, MissingError):
            raise request.not_found() from None
        try:
            stream = request.env["ir.binary"]._get_stream_from(line._get_bytes())
        except AccessError:
            raise request.not_found() from None
        except UserError as error:
            # (answered, not raised: the body that was read meanwhile is kept)
            is_missing = isinstance(error, MissingError)
            return request.make_response(
                str(error),
                [("Content-Type", "text/plain; charset=utf-8")],
                status=404 if is_missing else 502,
            )
        return stream.get_response(
            as_attachment=bool(download) or stream.mimetype not in SHOWN
        )
