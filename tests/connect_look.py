"""Looking at a mailbox before it is started, for tests of the connect window."""

from datetime import date, datetime, timedelta, timezone

from odoo import fields
from odoo.tools import SQL

from .common import raw_mail

NOW = datetime.now(timezone.utc)
SINCE = fields.Date.to_string(date.today() - timedelta(days=90))


class Looking:
    """Looking at a mailbox, as the window does it."""

    def count_rows(self):
        """Return how many rows each table has."""
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT table_name FROM information_schema.tables
               WHERE table_schema = current_schema AND table_type = 'BASE TABLE'"""
        )
        return {
            name: self.env.execute_query(
                SQL("SELECT count(*) FROM %s", SQL.identifier(name))
            )[0][0]
            for (name,) in self.env.cr.fetchall()
        }

    def look(self, stream, since=SINCE, size=500, account=None):
        """Return the mails of all pages, and the last page."""
        account = self.as_user(account or self.account, self.mira)
        until = fields.Datetime.to_string(fields.Datetime.now() + timedelta(hours=1))
        mails, position = [], ""
        for _page in range(50):
            page = account.connect_look(stream, since, until, position, size)
            self.assertNotIn("error", page)
            mails += page["mails"]
            position = page["position"]
            if not position:
                return mails, page
        raise AssertionError("it never ends")

    def deliver_all_kinds(self, deliver):
        """A mail of each kind.

        :param deliver: gets raw mails
        """
        me = self.account.email
        deliver(raw_mail(to=me, date=NOW))
        deliver(raw_mail("Anna <ANNA@acme.example>", me, date=NOW))
        deliver(raw_mail("stranger@far.example", me, date=NOW))
        deliver(raw_mail("jonas@ours.example", me, date=NOW))
        deliver(
            raw_mail(
                "news@far.example",
                me,
                date=NOW,
                headers=[("List-Unsubscribe", "<mailto:off@far.example>")],
            )
        )

    def assertAllKinds(self, mails):
        self.assertEqual(
            sorted((kind, automatic) for _key, _day, kind, automatic, *_ids in mails),
            [
                ("colleagues", False),
                ("match", False),
                ("match", False),
                ("strangers", False),
                ("strangers", True),
            ],
        )
        matched = [mail[4:7] for mail in mails if mail[2] == "match"]
        self.assertEqual(matched, 2 * [[self.anna.ids, [], []]])
        self.assertEqual(len({mail[0] for mail in mails}), 5)
        self.assertEqual({mail[1] for mail in mails}, {NOW.date().isoformat()})
