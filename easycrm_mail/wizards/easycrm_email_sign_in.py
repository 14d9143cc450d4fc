import binascii
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import hash_sign, verify_hash_signed

from ..models import secrets

#: Minutes that somebody has for signing in.
MINUTES = 15

SCOPE = "easycrm_mail.sign_in"


class EasycrmEmailSignIn(models.TransientModel):
    """A sign-in that has begun: what is known of it when the browser comes back.

    The `state` that travels with the browser names the row and the user, is signed, and
    expires. It counts once: the row goes when it is taken.
    """

    _name = "easycrm.email.sign.in"
    _description = "Sign-In Under Way"

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    provider = fields.Char(required=True)
    redirect_uri = fields.Char(help="Where the service sends the browser back to.")
    back = fields.Char(help="The page where it began.")
    flow = fields.Text(groups=fields.NO_ACCESS)

    def _get_state(self):
        """Return the state of this sign-in, for the service to hand back."""
        self.ensure_one()
        return hash_sign(
            self.env(su=True),
            SCOPE,
            [self.id, self.env.uid],
            expiration=timedelta(minutes=MINUTES),
        )

    @api.model
    def _take(self, provider, state):
        """Use up the sign-in that a state names.

        :param str state: as the browser brought it: anybody may have written it
        :return: (account as the current user, flow, redirect URI that it began with);
            (no account, None, None) where the state is forged, expired, used, another
            user's, or another service's
        """
        nothing = self.env["easycrm.email.account"], None, None
        try:
            named = verify_hash_signed(self.env(su=True), SCOPE, state)
        except (ValueError, IndexError, binascii.Error):
            return nothing
        if not named or named[1] != self.env.uid:
            return nothing
        self.env.cr.execute(
            """DELETE FROM easycrm_email_sign_in
               WHERE id = %s AND provider = %s AND create_uid = %s
               RETURNING account_id, flow, redirect_uri, back""",
            [named[0], provider, self.env.uid],
        )
        row = self.env.cr.fetchone()
        self.invalidate_model(flush=False)
        if not row or not row[1]:
            return nothing
        try:
            flow = secrets.decrypt(row[1])
        except secrets.UnknownKey:
            return nothing
        account = self.env["easycrm.email.account"].browse(row[0])
        return account.with_context(easycrm_mail_back=row[3]), flow, row[2]
