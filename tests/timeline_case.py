"""A timeline as its reader asks for it, and mailings to stand on it, for tests."""

from .common import START, MailCase
from .esp_case import EspFixtures

AT = START.replace(tzinfo=None)


class TimelineCase(MailCase):
    def open(self, record=None, user=None, **arguments):
        """Return what the timeline of a record, else Anna's, shows a user."""
        record = self.as_user(record or self.anna, user or self.mira)
        return record.easycrm_timeline(**arguments)


class FilterCase(TimelineCase):
    """A timeline of which is asked what is found on it."""

    def find(self, user=None, record=None, **filters):
        """Return the ids that a filter finds, page after page."""
        ids, before = [], False
        while True:
            page = self.open(record, user, before=before, filters=filters)
            for conversation in page["conversations"]:
                ids += [email["id"] for email in conversation["emails"]]
            before = page["next"]
            if not before:
                return ids

    def assertFound(self, emails, user=None, record=None, **filters):
        """Assert which emails a filter finds, newest first."""
        self.assertEqual(self.find(user, record, **filters), emails.ids)


class CampaignCase(EspFixtures, FilterCase):
    """A timeline on which a mailing stands."""

    def setUp(self):
        super().setUp()
        self.esp = self.make_esp()
        self.mailing = self.make_mailing(self.esp, count=1).mass_mailing_id
        self.mailing.email_from = '"Tallwood Furniture" <news@tallwood.example>'

    def add_trace(self, record=None, **values):
        record = record or self.anna
        mailing = self.mailing
        if self.env["mailing.trace"].search_count(
            [("mass_mailing_id", "=", mailing.id), ("email", "like", "anna@")]
        ):
            # (nobody gets the same mailing twice)
            mailing = mailing.copy({"subject": mailing.subject})
        trace = self.env["mailing.trace"].create(
            {
                "mass_mailing_id": mailing.id,
                "model": record._name,
                "res_id": record.id,
                "email": "anna@acme.example",
                "trace_status": "sent",
                "sent_datetime": AT,
                "easycrm_batch_id": self.batch.id,
                "easycrm_esp_id": self.esp.id,
                **values,
            }
        )
        self.env.flush_all()
        return trace

    def lines(self, record=None, user=None, **arguments):
        """Return the emails and mailings of a page, newest first."""
        page = self.open(record, user, **arguments)
        return [email for conv in page["conversations"] for email in conv["emails"]]

    def campaign(self, **arguments):
        [line] = [
            line for line in self.lines(**arguments) if line["direction"] == "campaign"
        ]
        return line["campaign"]
