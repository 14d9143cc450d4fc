"""That an email has attachments is told as far as it is shared.

What is stored has another name, and is for nobody; `has_attachments` is made of it.
"""

from odoo.tools.sql import column_exists, rename_column


def migrate(cr, version):
    if not column_exists(cr, "easycrm_email", "has_files"):
        rename_column(cr, "easycrm_email", "has_attachments", "has_files")
