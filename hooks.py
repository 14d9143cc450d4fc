"""What runs once, when the addon is installed or removed."""


def post_init_hook(env):
    """Fill the address index from the contacts and leads that are already there.

    Nothing is matched before: without the index no mail would find its people, and no
    company what its people got by earlier mailings.
    """
    env["easycrm.email.address"]._rebuild_index()
    env["mailing.trace"]._easycrm_fill_companies()


def uninstall_hook(env):
    """Remove what Odoo does not know to be ours: files, and what Settings have kept."""
    _stop_campaigns(env)
    env["ir.attachment"].search([("res_model", "=like", "easycrm.email%")]).unlink()
    env["ir.config_parameter"].search([("key", "=like", "easycrm_mail.%")]).unlink()
    env.cr.execute("DROP FUNCTION IF EXISTS easycrm_email_tally() CASCADE")


def _stop_campaigns(env):
    """Stop what waits for a bulk sender: Odoo's mail server would send it instead."""
    mailings = (
        env["mailing.mailing"]
        .with_context(active_test=False)
        .search(
            [("easycrm_esp_id", "!=", False), ("state", "in", ("in_queue", "sending"))]
        )
    )
    sending = mailings.filtered(lambda mailing: mailing.state == "sending")
    # (nobody will know any more what became of these)
    sending._easycrm_get_batches("handed_over").write({"state": "doubt"})
    sending.action_easycrm_cancel()
    (mailings - sending).action_cancel()
