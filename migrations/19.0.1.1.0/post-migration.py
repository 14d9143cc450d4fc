"""The search words were PostgreSQL's, in a generated column; they are ours now."""

from odoo.tools import SQL

from odoo.addons.easycrm_mail.easycrm_mail.messages import search_words
from odoo.addons.easycrm_mail.easycrm_mail.models.easycrm_email_content import (
    SEARCH_VECTOR,
)

BATCH = 1000


def migrate(cr, version):
    last = 0
    while True:
        cr.execute(
            SQL(
                """SELECT id, subject, left(body_text, 100000)
                   FROM easycrm_email_content WHERE id > %s ORDER BY id LIMIT %s""",
                last,
                BATCH,
            )
        )
        rows = cr.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        cr.execute_values(
            f"""UPDATE easycrm_email_content content
                SET search_vector = {SEARCH_VECTOR % "found.words"}
                FROM (VALUES %s) AS found (id, words) WHERE content.id = found.id""",
            [
                (id_, " ".join(search_words(subject or "", text or "")))
                for id_, subject, text in rows
            ],
            page_size=len(rows),
        )
