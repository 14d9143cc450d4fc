"""Mailboxes of users who may not use Email any more went on being read."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["easycrm.email.account"]._follow_all_owners()
