def migrate(cr, _version):
    """One index answers for addresses and their beginnings; the old one goes."""
    cr.execute("DROP INDEX IF EXISTS easycrm_email_participant__address_index")
