from odoo.http import request, route

from odoo.addons.mass_mailing.controllers.main import MassMailController


class EasycrmMailing(MassMailController):
    """Who unsubscribes by Odoo's own pages is known as such on the mailing, too.

    The address in the header of a mail (RFC 8058) acts when a mail program posts to it;
    who opens it, a scanner that follows every link as well, gets the page that asks.
    """

    @route(methods=["GET", "POST"])
    def mailing_unsubscribe_oneclick(
        self, mailing_id, document_id=None, email=None, hash_token=None, **post
    ):
        if request.httprequest.method != "POST":
            return self.mailing_confirm_unsubscribe(
                mailing_id, document_id=document_id, email=email, hash_token=hash_token
            )
        return super().mailing_unsubscribe_oneclick(
            mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
            **post,
        )

    def _mailing_unsubscribe_from_list(self, mailing, document_id, email, hash_token):
        page = super()._mailing_unsubscribe_from_list(
            mailing, document_id, email, hash_token
        )
        mailing._easycrm_unsubscribe(email, mailing.contact_list_ids)
        return page

    def _mailing_unsubscribe_from_document(
        self, mailing, document_id, email, hash_token
    ):
        page = super()._mailing_unsubscribe_from_document(
            mailing, document_id, email, hash_token
        )
        mailing._easycrm_unsubscribe(email)
        return page

    @route()
    def mail_blocklist_add(
        self, mailing_id=None, document_id=None, email=None, hash_token=None
    ):
        result = super().mail_blocklist_add(mailing_id, document_id, email, hash_token)
        if result is True:
            address, _token = self._fetch_user_information(email, hash_token)
            self._get_told(mailing_id)._easycrm_unsubscribe(address)
        return result

    @route()
    def mailing_update_list_subscription(
        self,
        mailing_id=None,
        document_id=None,
        email=None,
        hash_token=None,
        lists_optin_ids=None,
        **post,
    ):
        address, _token = self._fetch_user_information(email, hash_token)
        before = self._find_lists(address)
        result = super().mailing_update_list_subscription(
            mailing_id, document_id, email, hash_token, lists_optin_ids, **post
        )
        # (he is asked about every list of his, and may have been on none of these)
        if left := before - self._find_lists(address):
            mailing = self._get_told(mailing_id)
            if own := mailing._easycrm_get_lists() & left:
                mailing._easycrm_unsubscribe(address, own)
        return result

    def _find_lists(self, address):
        """Return the lists that somebody with this address is on."""
        subscriptions = self._fetch_contacts(address).subscription_ids
        return subscriptions.filtered(lambda one: not one.opt_out).list_id

    def _get_told(self, mailing_id):
        """Return the mailing that was answered to, checked already; or none."""
        return request.env["mailing.mailing"].sudo().browse(mailing_id or [])
