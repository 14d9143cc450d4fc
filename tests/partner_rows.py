"""Contacts by the thousand, for tests of what many of them cost."""

from odoo.tools import SQL


def insert_partners(template, number, **columns):
    """Insert contacts by SQL that are as another one, but for some columns.

    (Whatever is installed beside this may have columns that must not be empty.)

    :param columns: SQL expressions over `i`, from 1 to the number, and the `new_id`
    """
    template.flush_recordset()
    pairs = [SQL("%s, %s", name, SQL(value)) for name, value in columns.items()]
    template.env.cr.execute(
        SQL(
            """
            INSERT INTO res_partner
            SELECT made.*
            FROM res_partner old
            CROSS JOIN (SELECT nextval('res_partner_id_seq') AS new_id, i
                        FROM generate_series(1, %s) i) AS rows
            CROSS JOIN LATERAL jsonb_populate_record(
                old, jsonb_build_object('id', new_id, %s)
            ) AS made
            WHERE old.id = %s
            """,
            number,
            SQL(", ").join(pairs),
            template.id,
        )
    )
