from odoo import api, fields, models
from odoo.tools import SQL

#: Rows that have come to the tally from which on the cron sums them up.
SUMMED_FROM = 1000

#: What its emails can be grouped by.
KEYS = {
    "from_address": SQL("address"),
    "from_domain": SQL("split_part(address, '@', -1)"),
    "account_id": SQL("account"),
}


class EasycrmEmailTally(models.Model):
    """How many emails of a sender wait in a mailbox: for the badge and the groups.

    To count 200,000 emails at each look takes too long, and whoever kept a number up to
    date by hand would forget a road one day: links, rules, cascades. So the database
    keeps it, by a trigger on the copies. It only ever adds rows, `+3` or `-1`, so that
    nobody waits for anybody; the cron sums them up.
    """

    _name = "easycrm.email.tally"
    _description = "Count of Unlinked Emails"
    _rec_name = "address"
    _log_access = False

    # (no foreign key: what a deleted mailbox had is taken off after it is gone)
    account = fields.Integer(required=True)
    address = fields.Char(required=True)
    is_ignored = fields.Boolean(required=True)
    mails = fields.Integer(required=True, help="As many more, or less.")
    is_summed = fields.Boolean(help="The cron has made it; else it came since.")

    _sender_idx = models.Index("(account, is_ignored, address) INCLUDE (mails)")
    _news_idx = models.Index(
        "(account, is_ignored, address) WHERE is_summed IS NOT TRUE"
    )

    def init(self):
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION easycrm_email_tally() RETURNS trigger
            LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'TRUNCATE' THEN
                    DELETE FROM easycrm_email_tally;
                ELSIF TG_OP = 'INSERT' THEN
                    INSERT INTO easycrm_email_tally
                        (account, address, is_ignored, mails)
                    SELECT account_id, coalesce(from_address, ''), ignored IS TRUE,
                        count(*)
                    FROM came WHERE is_unlinked IS TRUE GROUP BY 1, 2, 3;
                ELSIF TG_OP = 'DELETE' THEN
                    INSERT INTO easycrm_email_tally
                        (account, address, is_ignored, mails)
                    SELECT account_id, coalesce(from_address, ''), ignored IS TRUE,
                        -count(*)
                    FROM gone WHERE is_unlinked IS TRUE GROUP BY 1, 2, 3;
                ELSE
                    INSERT INTO easycrm_email_tally
                        (account, address, is_ignored, mails)
                    SELECT account_id, coalesce(from_address, ''), ignored IS TRUE,
                        sum(more)
                    FROM (SELECT account_id, from_address, ignored, 1 AS more FROM came
                          WHERE is_unlinked IS TRUE
                          UNION ALL
                          SELECT account_id, from_address, ignored, -1 FROM gone
                          WHERE is_unlinked IS TRUE) AS changed
                    GROUP BY 1, 2, 3 HAVING sum(more) <> 0;
                END IF;
                RETURN NULL;
            END $$;
            DROP TRIGGER IF EXISTS easycrm_tally_came ON easycrm_email_copy;
            DROP TRIGGER IF EXISTS easycrm_tally_gone ON easycrm_email_copy;
            DROP TRIGGER IF EXISTS easycrm_tally_changed ON easycrm_email_copy;
            DROP TRIGGER IF EXISTS easycrm_tally_emptied ON easycrm_email_copy;
            CREATE TRIGGER easycrm_tally_came AFTER INSERT ON easycrm_email_copy
                REFERENCING NEW TABLE AS came
                FOR EACH STATEMENT EXECUTE FUNCTION easycrm_email_tally();
            CREATE TRIGGER easycrm_tally_gone AFTER DELETE ON easycrm_email_copy
                REFERENCING OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION easycrm_email_tally();
            CREATE TRIGGER easycrm_tally_changed AFTER UPDATE ON easycrm_email_copy
                REFERENCING NEW TABLE AS came OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION easycrm_email_tally();
            CREATE TRIGGER easycrm_tally_emptied AFTER TRUNCATE ON easycrm_email_copy
                FOR EACH STATEMENT EXECUTE FUNCTION easycrm_email_tally();
            """
        )
        self._count_anew()

    @api.model
    def _count_anew(self):
        """Count what is here, for a database that had it before."""
        self.env.cr.execute(
            """
            DELETE FROM easycrm_email_tally;
            INSERT INTO easycrm_email_tally
                (account, address, is_ignored, mails, is_summed)
            SELECT account_id, coalesce(from_address, ''), ignored IS TRUE, count(*),
                TRUE
            FROM easycrm_email_copy WHERE is_unlinked IS TRUE GROUP BY 1, 2, 3
            """
        )

    @api.model
    def _sum_up(self):
        """Make one row of all rows of each sender who has got some, if many have come.

        The others' are left alone: there may be millions.

        :return: whether there may be more to do: never
        """
        [[count]] = self.env.execute_query(
            SQL(
                """
                SELECT count(*) FROM (
                    SELECT FROM easycrm_email_tally WHERE is_summed IS NOT TRUE LIMIT %s
                ) AS news
                """,
                SUMMED_FROM,
            )
        )
        if count == SUMMED_FROM:
            self.env.cr.execute(
                """
                WITH news AS (
                    SELECT DISTINCT account, is_ignored, address
                    FROM easycrm_email_tally WHERE is_summed IS NOT TRUE
                ), gone AS (
                    DELETE FROM easycrm_email_tally tally USING news
                    WHERE tally.account = news.account
                      AND tally.is_ignored = news.is_ignored
                      AND tally.address = news.address
                    RETURNING tally.account, tally.is_ignored, tally.address,
                        tally.mails
                )
                INSERT INTO easycrm_email_tally
                    (account, is_ignored, address, mails, is_summed)
                SELECT account, is_ignored, address, sum(mails), TRUE FROM gone
                GROUP BY 1, 2, 3 HAVING sum(mails) <> 0
                """
            )
        return False

    @api.model
    def _forget(self, addresses):
        """Forget these senders, of whom nothing waits any more.

        :param list addresses: normalised
        """
        self.env["easycrm.email.copy"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM easycrm_email_tally
                WHERE (account, is_ignored, address) IN (
                    SELECT account, is_ignored, address FROM easycrm_email_tally
                    WHERE address = ANY(%s)
                    GROUP BY 1, 2, 3 HAVING sum(mails) = 0)
                """,
                addresses,
            )
        )

    @api.model
    def _count_mails(self, account_ids, ignored=False):
        """Return how many emails wait in these mailboxes, or are ignored there."""
        self.env["easycrm.email.copy"].flush_model()
        [[mails]] = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(mails), 0) FROM easycrm_email_tally
                WHERE account = ANY(%s) AND is_ignored = %s
                """,
                list(account_ids),
                bool(ignored),
            )
        )
        return int(mails)

    @api.model
    def _count_from(self, account_ids, patterns):
        """Return how many emails wait in these mailboxes from some senders.

        :param patterns: those that cover the senders
        """
        Copy = self.env["easycrm.email.copy"]
        Copy.flush_model()
        [[mails]] = self.env.execute_query(
            SQL(
                """
                SELECT coalesce(sum(mails), 0) FROM (
                    SELECT address AS from_address, mails FROM easycrm_email_tally
                    WHERE account = ANY(%s) AND is_ignored IS FALSE
                ) AS held WHERE %s
                """,
                list(account_ids),
                Copy._get_senders_sql(patterns),
            )
        )
        return int(mails)

    @api.model
    def _count_groups(self, account_ids, ignored, by):
        """Return how many groups wait, and how many emails.

        :param account_ids: of mailboxes that the caller may look into
        :param str by: `from_address`, `from_domain` or `account_id`
        """
        self.env["easycrm.email.copy"].flush_model()
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT count(*), coalesce(sum(mails), 0)::bigint
                FROM (SELECT sum(mails) AS mails FROM easycrm_email_tally
                      WHERE account = ANY(%s) AND is_ignored = %s
                      GROUP BY %s HAVING sum(mails) > 0) AS found
                """,
                list(account_ids),
                bool(ignored),
                KEYS[by],
            )
        )
        return row

    @api.model
    def _count_of(self, account_ids, ignored, by, keys):
        """Return {key: how many emails wait} of these groups."""
        # (a key at a time where there is an index: whatever the planner knows of it)
        counts = SQL(
            """
            SELECT %(key)s, sum(mails)::bigint FROM easycrm_email_tally
            WHERE account = ANY(%(accounts)s) AND is_ignored = %(ignored)s
              AND %(key)s = ANY(%(keys)s)
            GROUP BY 1
            """
            if by != "from_address"
            else """
            SELECT wanted.key, (
                SELECT sum(mails)::bigint FROM easycrm_email_tally
                WHERE account = ANY(%(accounts)s) AND is_ignored = %(ignored)s
                  AND %(key)s = wanted.key)
            FROM unnest(%(keys)s::varchar[]) AS wanted (key)
            """,
            key=KEYS[by],
            accounts=list(account_ids),
            ignored=bool(ignored),
            keys=list(keys),
        )
        return {key: mails or 0 for key, mails in self.env.execute_query(counts)}
