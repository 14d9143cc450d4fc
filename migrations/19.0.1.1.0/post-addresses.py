"""International domains are compared as people write them; they were as mail has them.

anna@xn--bcher-kva.example  ->  anna@bücher.example
"""

from odoo.tools import SQL

from odoo.addons.easycrm_mail.easycrm_mail.models.addresses import normalise

#: Where addresses stand, beside the index that finds mail.
COLUMNS = [
    ("easycrm_email_participant", "address"),
    ("easycrm_email_copy", "from_address"),
    ("easycrm_email_link", "address"),
    ("easycrm_email_account", "alias_emails"),
    ("easycrm_email_account", "email"),
]

#: A mailbox that is connected in both spellings stays so.
CONNECTED_TWICE = SQL(
    """active AND EXISTS (
           SELECT FROM easycrm_email_account same
           WHERE same.company_id = easycrm_email_account.company_id
             AND same.email = spelling.new AND same.active)"""
)


def migrate(cr, version):
    changed = respell_index(cr)
    for table, column in COLUMNS:
        unless = CONNECTED_TWICE if column == "email" else SQL("FALSE")
        changed |= respell(cr, SQL.identifier(table), SQL.identifier(column), unless)
    # their mail is looked for by the backfill cron
    cr.execute(
        """UPDATE easycrm_email_address
           SET look_again_at = now() AT TIME ZONE 'UTC' WHERE address = ANY(%s)""",
        [list(changed)],
    )


def find_spellings(cr, table, column):
    """Return the addresses of that column that are spelled anew, and how."""
    cr.execute(
        SQL(
            """SELECT DISTINCT %(column)s FROM %(table)s
               WHERE %(column)s LIKE '%%xn--%%'""",
            table=table,
            column=column,
        )
    )
    # (aliases stand in one field, with commas)
    spellings = {
        old: ",".join(dict.fromkeys(map(normalise, old.split(","))))
        for [old] in cr.fetchall()
    }
    return {old: new for old, new in spellings.items() if new != old}


def respell(cr, table, column, unless):
    """Bring a column to the new spelling.

    :return: the addresses that it was changed to
    """
    spellings = find_spellings(cr, table, column)
    if spellings:
        cr.execute(
            SQL(
                """UPDATE %(table)s SET %(column)s = spelling.new
                   FROM unnest(%(old)s, %(new)s) AS spelling (old, new)
                   WHERE %(column)s = spelling.old AND NOT (%(unless)s)""",
                table=table,
                column=column,
                unless=unless,
                old=list(spellings),
                new=list(spellings.values()),
            )
        )
    return set(spellings.values())


def respell_index(cr):
    """As `respell`, of what belongs to records: each address once for a record."""
    spellings = find_spellings(
        cr, SQL.identifier("easycrm_email_address"), SQL.identifier("address")
    )
    if not spellings:
        return set()
    cr.execute(
        """
        WITH old AS (
            DELETE FROM easycrm_email_address WHERE address = ANY(%s)
            RETURNING address, partner_id, lead_id, source
        )
        INSERT INTO easycrm_email_address (address, partner_id, lead_id, source)
        SELECT spelling.new, partner_id, lead_id, source
        FROM old JOIN unnest(%s, %s) AS spelling (old, new)
          ON spelling.old = old.address
        ORDER BY source DESC  -- what stands in the Email field leaves with it
        ON CONFLICT DO NOTHING
        """,
        [list(spellings), list(spellings), list(spellings.values())],
    )
    return set(spellings.values())
