"""Who may read which mail: the conditions, as SQL on one row.

A rule cannot say "may read the lead", so the models that hold mail add these
conditions to their own `_search` (see `easycrm.email.access`). They are correlated
EXISTS on indexed columns: a page of the timeline costs a page, whatever is stored. The
`OFFSET 0` in each sees to that: without it PostgreSQL may answer the EXISTS of all rows
at once by hashing a whole table, for the sake of the thirty that are read.
"""

from odoo.tools import SQL

#: What others may see of a mailbox's linked mail, from least to most.
SHARE_LEVELS = ["metadata", "subject", "everything"]


def reaching(env, level):
    """Return the share levels of mailboxes that let others see that much.

    Above the administrator's limit there are none, whatever a mailbox says.
    """
    levels = SHARE_LEVELS[SHARE_LEVELS.index(level) :]
    return levels if env["easycrm.email.account"]._get_share_limit() in levels else []


def shared_level(env, email_id):
    """How much others see of the email: as much as the most generous mailbox shares.

    :param SQL email_id: the column that holds the email's id
    """
    env["easycrm.email.account"].flush_model(["share_level"])
    env["easycrm.email.copy"].flush_model(["email_id", "account_id"])
    return SQL(
        """(SELECT CASE
                WHEN bool_or(account.share_level = ANY(%s)) THEN 'everything'
                WHEN bool_or(account.share_level = ANY(%s)) THEN 'subject'
                ELSE 'metadata' END
            FROM easycrm_email_copy shared
            JOIN easycrm_email_account account ON account.id = shared.account_id
            WHERE shared.email_id = %s)""",
        reaching(env, "everything"),
        reaching(env, "subject"),
        email_id,
    )


def own_copy(env, email_id, direction=None):
    """A condition: one of the user's own mailboxes holds the email.

    :param SQL email_id: the column that holds the email's id
    :param str direction: only copies of that direction count
    """
    account_ids = env["easycrm.email.account"]._get_own_account_ids()
    if not account_ids:
        return SQL("FALSE")
    env["easycrm.email.copy"].flush_model(["email_id", "account_id", "direction"])
    return SQL(
        """EXISTS (SELECT FROM easycrm_email_copy own
                   WHERE own.email_id = %s AND own.account_id IN %s%s OFFSET 0)""",
        email_id,
        tuple(account_ids),
        SQL(" AND own.direction = %s", direction) if direction else SQL(),
    )


def own_mailbox(env, account_id):
    """A condition: the mailbox is one of the user's own, in the companies at work.

    By their ids: a rule that follows the mailbox to its owner would keep the list of
    unlinked mail from being read along its index.

    :param SQL account_id: the column that holds the mailbox's id
    """
    ids = own_account_ids(env)
    return SQL("%s IN %s", account_id, tuple(ids)) if ids else SQL("FALSE")


def own_account_ids(env):
    """Return the ids of the user's own mailboxes, in the companies at work."""
    accounts = env["easycrm.email.account"]
    own = accounts.sudo().browse(accounts._get_own_account_ids())
    return own.filtered(lambda account: account.company_id in env.companies).ids


def readable_record(env, model_name, record_id):
    """A condition: the user may read that record, by its model's own rules."""
    Model = env[model_name].with_context(active_test=False)
    if not Model.has_access("read"):
        return SQL("FALSE")
    query = Model._search([])
    query.add_where(SQL("%s = %s", SQL.identifier(query.table, "id"), record_id))
    return SQL("EXISTS (%s OFFSET 0)", query.select(SQL("1")))


def visible_link(env, link):
    """A condition: the link counts for the user.

    A tombstone gives no access, a private conversation is its holders' own, and who
    was in Bcc is known to those who sent the mail.

    :param str link: the alias of `easycrm_email_link`
    """
    env["easycrm.email.link"].flush_model(
        ["email_id", "partner_id", "lead_id", "thread_id", "role", "removed"]
    )
    env["easycrm.email.thread"].flush_model(["privacy"])

    def column(name):
        return SQL.identifier(link, name)

    return SQL(
        """(%(removed)s IS NOT TRUE
            AND (NOT EXISTS (SELECT FROM easycrm_email_thread kept
                             WHERE kept.id = %(thread)s
                               AND kept.privacy = 'private' OFFSET 0) OR %(held)s)
            AND (%(role)s IS DISTINCT FROM 'bcc' OR %(sent)s)
            AND (%(partner)s OR %(lead)s))""",
        removed=column("removed"),
        thread=column("thread_id"),
        held=own_copy(env, column("email_id")),
        role=column("role"),
        sent=own_copy(env, column("email_id"), "outbound"),
        partner=readable_record(env, "res.partner", column("partner_id")),
        lead=readable_record(env, "crm.lead", column("lead_id")),
    )


def visible_email(env, email_id):
    """A condition: the user may know of the email."""
    return SQL(
        """(%s OR EXISTS (SELECT FROM easycrm_email_link seen
                          WHERE seen.email_id = %s AND %s OFFSET 0))""",
        own_copy(env, email_id),
        email_id,
        visible_link(env, "seen"),
    )


def visible_content(env, email_id, level):
    """A condition: the user may read the email at that share level or better.

    The most permissive mailbox that holds it decides for others; whoever holds it
    sees all.
    """
    env["easycrm.email.account"].flush_model(["share_level"])
    env["easycrm.email.copy"].flush_model(["email_id", "account_id"])
    return SQL(
        """(%(own)s OR (
            EXISTS (SELECT FROM easycrm_email_copy shared
                    JOIN easycrm_email_account account
                      ON account.id = shared.account_id
                    WHERE shared.email_id = %(email)s
                      AND account.share_level = ANY(%(levels)s) OFFSET 0)
            AND EXISTS (SELECT FROM easycrm_email_link seen
                        WHERE seen.email_id = %(email)s AND %(link)s OFFSET 0)))""",
        own=own_copy(env, email_id),
        email=email_id,
        levels=reaching(env, level),
        link=visible_link(env, "seen"),
    )
