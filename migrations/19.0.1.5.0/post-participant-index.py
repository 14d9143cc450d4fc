def migrate(cr, _version):
    """One index answers for an address and for its beginning: Odoo keeps the old one."""
    cr.execute("DROP INDEX IF EXISTS easycrm_email_participant__address_index")
