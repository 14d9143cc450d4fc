"""Mailboxes of users who were archived before went on being read."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    archived = env["res.users"].search([("active", "=", False)])
    env["easycrm.email.account"]._follow_owners(archived)
