"""A company shows its people's mailings: those that were sent before, too."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["mailing.trace"]._easycrm_fill_companies()
