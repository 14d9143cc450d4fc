from odoo import api, fields, models


class EasycrmEmail(models.Model):
    _inherit = "easycrm.email"

    def easycrm_values(self):
        """Return what a row of the timeline shows of this email.

        :return: dict, see `easycrm_timeline`
        :raise AccessError: the email is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        return self._get_timeline_values()[0]

    def _get_timeline_values(self):
        """Return what a row of the timeline shows, as far as this user may see it.

        :return: list of dict, in the order of the records
        """
        levels = self._get_share_levels()
        people = self._get_people()
        lines = self._get_lines()
        copies = {
            copy.email_id.id: copy
            for copy in self.env["easycrm.email.copy"].search_fetch(
                [("email_id", "in", self.ids)], ["email_id", "is_read"]
            )
        }
        large = self._get_large_words(levels)
        hidden = [email.id for email in self if levels[email.id] != "everything"]
        sharers = self.browse(hidden)._get_sharers()
        return [
            {
                "id": email.id,
                "thread_id": email.thread_id.id,
                "date": fields.Datetime.to_string(email.date),
                "direction": "outbound"
                if people[email.id]["from"] and people[email.id]["from"].pop("ours")
                else email.direction,
                **people[email.id],
                "subject": email.subject or False,
                "snippet": email.snippet or large.get(email.id, False),
                "large": email.id in large,
                "level": levels[email.id],
                "sharers": sharers.get(email.id, []),
                "attachments": lines.get(email.id, []),
                "is_read": copies[email.id].is_read if email.id in copies else None,
            }
            for email in self
        ]

    def _get_people(self):
        """Return {email id: {"from": person or False, "to", "cc", "bcc": persons}}."""
        people = {
            email_id: {"from": False, "to": [], "cc": [], "bcc": []}
            for email_id in self.ids
        }
        participants = self.env["easycrm.email.participant"].search(
            [("email_id", "in", self.ids)]
        )
        partners = self._get_partner_ids(participants.mapped("address"))
        mine = self._get_own_addresses()
        ours = mine | self._get_colleagues(
            participants.filtered(lambda p: p.role == "from").mapped("address")
        )
        for participant in participants:
            person = {
                "name": participant.name or "",
                "address": participant.address,
                "me": participant.address in mine,
                "partner_id": partners.get(participant.address, False),
            }
            roles = people[participant.email_id.id]
            if participant.role == "from":
                # written by one of us, it is sent mail, whoever's mailbox it came from
                person["ours"] = participant.address in ours
                roles["from"] = roles["from"] or person
            else:
                roles[participant.role].append(person)
        return people

    @api.model
    def _get_own_addresses(self):
        """Return the addresses that are the user's own, or of his mailboxes."""
        accounts = self.env["easycrm.email.account"]
        own = accounts.sudo().browse(accounts._get_own_account_ids())
        mine = {address for a in own for address in a._get_own_addresses()}
        return mine | set(filter(None, [self.env.user.email_normalized]))

    @api.model
    def _get_colleagues(self, addresses):
        """Return those of the addresses that are our own people's."""
        users = (
            self.env["res.users"]
            .sudo()
            .search(
                [
                    ("share", "=", False),
                    ("partner_id.email_normalized", "in", addresses),
                ]
            )
        )
        return set(users.partner_id.mapped("email_normalized"))

    @api.model
    def _get_partner_ids(self, addresses):
        """Return {address: contact id} of the contacts that this user may read."""
        rows = (
            self.env["easycrm.email.address"]
            .sudo()
            .search_fetch(
                [("address", "in", addresses), ("partner_id", "!=", False)],
                ["address", "partner_id"],
            )
        )
        readable = set(rows.partner_id.sudo(False)._filtered_access("read").ids)
        return {
            row.address: row.partner_id.id
            for row in rows
            if row.partner_id.id in readable
        }

    def _get_lines(self):
        """Return {email id: [attachment]}, without the images within the text."""
        lines = {}
        for line in self.env["easycrm.email.attachment"].search(
            [("email_id", "in", self.ids), ("inline", "=", False)]
        ):
            lines.setdefault(line.email_id.id, []).append(
                {
                    "id": line.id,
                    "name": line.name,
                    "mimetype": line.mimetype,
                    "size": line.size,
                    "url": f"/easycrm_mail/attachment/{line.id}",
                }
            )
        return lines

    def _get_sharers(self):
        """Return {email id: names of those whose mailbox shares less than all}."""
        names = {}
        for copy in (
            self.env["easycrm.email.copy"]
            .sudo()
            .search([("email_id", "in", self.ids)], order="id")
        ):
            names.setdefault(copy.email_id.id, {})[copy.account_id.user_id.name] = True
        return {email_id: list(found) for email_id, found in names.items()}

    def easycrm_why(self, model, res_id):
        """Say why this email stands on a record, and on which others.

        :param str model: `res.partner` or `crm.lead`
        :param int res_id: the record whose timeline asks; its own links come first
        :return: list of dict with `link_id`, `record`, `sentence`, `when`, `removed`,
            `can_take_off` and `can_put_back`
        """
        self.ensure_one()
        self.check_access("read")
        Link = self.env["easycrm.email.link"]
        links = Link.search([("email_id", "=", self.id)])
        # one's own tombstones: what one took off, one may put back
        taken_off = Link.sudo().search(
            [
                ("email_id", "=", self.id),
                ("removed", "=", True),
                ("write_uid", "=", self.env.uid),
            ]
        )
        links |= taken_off.sudo(False)

        def get_record(link):
            return (link.sudo().partner_id or link.sudo().lead_id).sudo(False)

        return [
            {
                "link_id": link.id,
                "record": {
                    "model": get_record(link)._name,
                    "id": get_record(link).id,
                    "name": get_record(link).name,
                    "label": link._get_record_kind(),
                },
                "sentence": self.env._("You took it off")
                if link in taken_off
                else link.reason,
                "when": fields.Datetime.to_string(link.sudo().write_date),
                "removed": link in taken_off,
                "can_put_back": link in taken_off
                and get_record(link).has_access("write"),
                "can_take_off": link not in taken_off
                and get_record(link).has_access("write"),
            }
            for link in links.sorted(
                lambda link: (
                    (get_record(link)._name, get_record(link).id) != (model, res_id)
                )
            )
            if get_record(link).has_access("read")
        ]
