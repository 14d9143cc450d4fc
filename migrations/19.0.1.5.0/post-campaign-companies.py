"""A company shows its people's mailings: those that were sent before, too."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE mailing_trace trace
        SET easycrm_commercial_partner_id = partner.commercial_partner_id
        FROM res_partner partner
        WHERE trace.model = 'res.partner' AND partner.id = trace.res_id
          AND trace.easycrm_commercial_partner_id IS NULL
        """
    )
    cr.execute(
        """
        UPDATE mailing_trace trace
        SET easycrm_commercial_partner_id = known.company
        FROM (
            SELECT DISTINCT ON (address.address) address.address,
                partner.commercial_partner_id AS company
            FROM easycrm_email_address address
            JOIN res_partner partner ON partner.id = address.partner_id
            ORDER BY address.address, partner.id
        ) AS known
        WHERE trace.model = 'mailing.contact' AND trace.email = known.address
          AND trace.easycrm_commercial_partner_id IS NULL
        """
    )
