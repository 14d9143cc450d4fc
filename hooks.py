"""What runs once, when the addon is installed or removed."""


def post_init_hook(env):
    """Fill the address index from the contacts and leads that are already there.

    Nothing is matched before: without the index no mail would find its people.
    """
    env["easycrm.email.address"]._rebuild_index()


def uninstall_hook(env):
    """Remove what Odoo does not know to be ours: files, and what Settings have kept."""
    env["ir.attachment"].search([("res_model", "=like", "easycrm.email%")]).unlink()
    env["ir.config_parameter"].search([("key", "=like", "easycrm_mail.%")]).unlink()
    env.cr.execute("DROP FUNCTION IF EXISTS easycrm_email_tally() CASCADE")
