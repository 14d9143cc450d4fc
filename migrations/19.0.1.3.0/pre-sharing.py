"""That an email has attachments is told as far as it is shared.

What is stored has another name, and is for nobody; `has_attachments` is made of it.
"""


def migrate(cr, version):
    cr.execute(
        """
        ALTER TABLE easycrm_email ADD COLUMN IF NOT EXISTS has_attachments boolean;
        ALTER TABLE easycrm_email RENAME has_attachments TO has_files
        """
    )
