from odoo import Command, api, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.addresses import normalise
from .easycrm_email_compose import ROLES

#: Suggestions of each kind, and the letters from which on there are any.
SUGGESTED, SUGGESTED_FROM = 6, 2

#: Participants that are looked through for addresses that begin with what was typed.
LOOKED_AT = 400

#: Recipients of one window: of more, a mailbox would be taken for a spammer's.
RECIPIENT_LIMIT = 500


class EasycrmEmailCompose(models.TransientModel):
    """To whom: people as the window knows them, and who comes to mind while typing."""

    _inherit = "easycrm.email.compose"

    @api.model
    def _read_recipients(self, recipients):
        """Return what the browser sent as lists of people, by role.

        :param dict recipients: {role: [{"name", "address", "partner_id"}]}
        """
        asked = {role: (recipients or {}).get(role) or [] for role in ROLES}
        ids = {
            person.get("partner_id") for people in asked.values() for person in people
        }
        contacts = self.env["res.partner"].browse(
            [one for one in ids if isinstance(one, int) and one]
        )
        known = set(contacts.exists()._filtered_access("read").ids)
        return {
            role: [
                {
                    "name": " ".join(str(person.get("name") or "").split())[:200],
                    "address": str(person.get("address") or "").strip()[:320],
                    "partner_id": person.get("partner_id") in known
                    and person["partner_id"],
                }
                for person in people[:RECIPIENT_LIMIT]
            ]
            for role, people in asked.items()
        }

    @api.model
    def _get_recipient_commands(self, recipients):
        return [
            Command.create({"role": role, **person})
            for role in ROLES
            for person in (recipients or {}).get(role) or []
        ]

    @api.model
    def easycrm_suggest(self, term):
        """Return who may be meant by what was typed: contacts, then addresses seen.

        Of both only what the user may read.

        :param str term: a part of a name, or the beginning of an address
        :return: list of dict with `name`, `address`, `partner_id`, `seen` (how many
            emails, of an address that is no contact's) and `problem` (why the last
            email to it came back, in words)
        """
        term = " ".join(str(term or "").split())
        if len(term) < SUGGESTED_FROM:
            return []
        people = self._suggest_contacts(term)
        taken = {person["address"] for person in people}
        people += [
            person
            for person in self._suggest_seen(term)
            if person["address"] not in taken
        ]
        return self._flag_people(people)

    @api.model
    def _suggest_contacts(self, term):
        fits = Domain("complete_name", "ilike", term) | Domain("email", "ilike", term)
        contacts = self.env["res.partner"].search(
            Domain("email_normalized", "!=", False) & fits,
            limit=SUGGESTED,
        )
        return [contact._easycrm_get_recipients()[contact.id] for contact in contacts]

    @api.model
    def _suggest_seen(self, term):
        """Return addresses of emails that begin with the term, no contact's."""
        Participant = self.env["easycrm.email.participant"]
        Participant.flush_model(["address"])
        # along the index; who may see which of them is asked of these few
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM easycrm_email_participant
                WHERE address LIKE %s ORDER BY address USING ~<~ LIMIT %s
                """,
                normalise(term)
                .replace("\\", "")
                .replace("%", r"\%")
                .replace("_", r"\_")
                + "%",
                LOOKED_AT,
            )
        )
        groups = Participant._read_group(
            Domain("id", "in", [row[0] for row in rows]),
            ["address"],
            ["email_id:count_distinct", "name:max"],
            order="email_id:count_distinct desc, address",
            limit=SUGGESTED * 2,
        )
        contacts = self.env["easycrm.email"]._get_partner_ids(
            {address for address, _count, _name in groups}
        )
        return [
            {"name": name or "", "address": address, "partner_id": False, "seen": count}
            for address, count, name in groups
            if address not in contacts
        ][:SUGGESTED]

    @api.model
    def _flag_people(self, people):
        """Tell of which people the last email came back, and why."""
        problems = self.env["easycrm.email.bounce"].easycrm_flagged(
            [person["address"] for person in people]
        )
        return [
            {**person, "problem": problems.get(person["address"], "")}
            for person in people
        ]

    @api.model
    def easycrm_read_people(self, text):
        """Return the people in a text that was typed, see `easycrm_suggest`."""
        text = str(text or "").strip()
        found = tools.mail.email_split_tuples(text) if "@" in text else []
        people = [
            {"name": name or "", "address": address, "partner_id": False}
            for name, address in found or [("", text)]
        ]
        partners = self.env["easycrm.email"]._get_partner_ids(
            {normalise(person["address"]) for person in people}
        )
        names = {
            contact.id: contact.name
            for contact in self.env["res.partner"].browse(partners.values())
        }
        for person in people:
            person["partner_id"] = partners.get(normalise(person["address"]), False)
            person["name"] = person["name"] or names.get(person["partner_id"], "")
        return self._flag_people(people)
