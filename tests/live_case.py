"""What is told over the bus to open timelines, for tests of it."""

import json
from datetime import datetime, timezone

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from ..easycrm_mail.models import easycrm_email_live
from .common import MailCase

TIMELINE = easycrm_email_live.TIMELINE


class LiveCase(MailCase):
    def setUp(self):
        super().setUp()
        self.read_pings()

    def read_pings(self):
        """Commit, as it were; return what is on the bus, and empty it."""
        self.cr.flush()
        rows = self.env["bus.bus"].search([("message", "like", TIMELINE)])
        pings = [(row.channel, json.loads(row.message)["payload"]) for row in rows]
        rows.unlink()
        return pings

    def assertPinged(self, *records):
        """Assert which records' timelines were told, each once and without content."""
        expected = [
            (
                json_dump(
                    channel_with_db(
                        self.cr.dbname, (record, f"{TIMELINE}/{self.company_a.id}")
                    )
                ),
                {"model": record._name, "id": record.id},
            )
            for record in records
        ]
        self.assertCountEqual(self.read_pings(), expected)

    def receive_now(self, mailbox=None, **parts):
        parts.setdefault("date", datetime.now(timezone.utc))
        return self.receive(mailbox or self.mailbox, **parts)
