from odoo.http import Controller, request, route


class EasycrmOauth(Controller):
    """Where Google and Microsoft send the browser back to after a sign-in.

    Only the address is known in advance: whatever comes is checked by the account's
    `_finish_sign_in`. The way back is always a page of this database.
    """

    @route(
        "/easycrm_mail/oauth/google",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=False,
    )
    def google(self, **answer):
        """Finish a sign-in at Google."""
        return self._finish("gmail", answer)

    @route(
        "/easycrm_mail/oauth/microsoft",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=False,
    )
    def microsoft(self, **answer):
        """Finish a sign-in at Microsoft."""
        return self._finish("outlook", answer)

    def _finish(self, provider, answer):
        Account = request.env["easycrm.email.account"]
        if not Account.has_access("read"):
            raise request.not_found()
        account, error = Account._finish_sign_in(provider, answer)
        path = account._get_screen_path()
        if not error:
            return request.redirect(path)
        response = request.render(
            "easycrm_mail.sign_in_failed",
            {
                "service": Account._get_service_title(provider),
                "account": account,
                "error": error,
                "path": path,
            },
        )
        # what stands in the address is used up, and still nobody's business
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
