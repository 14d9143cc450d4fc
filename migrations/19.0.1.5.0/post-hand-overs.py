"""What is handed over says now which conversations it is about: those go if private."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    cr.execute(
        """
        INSERT INTO easycrm_email_thread_activity_rel (activity_id, thread_id)
        SELECT DISTINCT activity.id, link.thread_id
        FROM mail_activity activity
        JOIN easycrm_email_link link ON link.removed IS NOT TRUE
         AND CASE activity.res_model WHEN 'crm.lead' THEN link.lead_id
                 WHEN 'res.partner' THEN link.partner_id END = activity.res_id
        JOIN easycrm_email_copy held ON held.email_id = link.email_id
         AND held.account_id = activity.easycrm_account_id
        WHERE activity.active AND held.date <= activity.create_date
          AND held.date >= activity.create_date - interval '30 days'
        ON CONFLICT DO NOTHING
        RETURNING thread_id
        """
    )
    thread_ids = {row[0] for row in cr.fetchall()}
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["easycrm.email.thread"].browse(thread_ids)._withdraw_hand_overs()
