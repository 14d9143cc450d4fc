from base64 import b64decode

from odoo.http import Controller, request, route

#: One transparent pixel.
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class EasycrmOpened(Controller):
    @route(
        "/easycrm_mail/opened/<string:token>",
        type="http",
        auth="public",
        readonly=False,
        save_session=False,
    )
    def opened(self, token):
        """Take note that a mail was opened, and serve its pixel, whatever was asked.

        Our own people, who read the copy on its timeline, do not count.
        """
        if not request.env.user._is_internal():
            request.env["easycrm.email.outgoing"].sudo()._mark_opened(token)
        return request.make_response(
            PIXEL, [("Content-Type", "image/gif"), ("Cache-Control", "no-store")]
        )
