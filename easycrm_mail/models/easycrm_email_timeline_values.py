from odoo import api, fields, models
from odoo.exceptions import MissingError
from odoo.fields import Domain
from odoo.tools import SQL

from . import access

#: People of each role that the timeline names of one email: a stranger may have written
#: to twenty thousand. The others are counted.
PEOPLE_NAMED = 200


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

        What belongs to the emails is read in SQL, which is several times as fast as
        asking for the access to each row of it: it follows from the levels. So these
        must be emails that the user may see.

        :return: list of dict, in the order of the records
        """
        for model in (
            *("", ".content", ".participant", ".attachment", ".copy"),
            *(".bounce", ".outgoing"),
        ):
            self.env[f"easycrm.email{model}"].flush_model()
        envelopes = self._get_envelopes()
        levels = {email_id: envelopes[email_id]["level"] for email_id in self.ids}
        people = self._get_people(PEOPLE_NAMED)
        shown = [email_id for email_id in self.ids if levels[email_id] == "everything"]
        lines = self.browse(shown)._get_lines()
        large = self.browse(
            [email_id for email_id in self.ids if envelopes[email_id]["large"]]
        )._get_large_words(levels)
        bounces = self.browse(
            [email_id for email_id in self.ids if envelopes[email_id].pop("bounced")]
        )._get_bounces()
        sharers = (self - self.browse(shown))._get_sharers()
        result = []
        for email_id in self.ids:
            level, envelope = levels[email_id], envelopes[email_id]
            sender = people[email_id]["from"]
            if sender and sender.pop("ours"):
                envelope["direction"] = "outbound"
            subject, snippet = envelope.pop("subject"), envelope.pop("snippet")
            result.append(
                {
                    **envelope,
                    **people[email_id],
                    "subject": level != "metadata" and subject or False,
                    "snippet": level == "everything"
                    and snippet
                    or large.get(email_id, False),
                    "large": email_id in large,
                    "bounces": bounces.get(email_id, []),
                    "sharers": sharers.get(email_id, []),
                    "attachments": lines.get(email_id, []),
                }
            )
        return result

    def _get_envelopes(self):
        """Return {email id: dict}, with the subject and snippet that `level` may hide.

        `is_read` is told of those in the user's own mailboxes, of the newest copy, and
        `shared`, the level at which colleagues see them.

        :raise MissingError: an email was deleted meanwhile
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT email.id, email.thread_id, email.date, email.direction,
                       email.headers_only IS TRUE AS large,
                       email.is_auto_reply IS TRUE AS auto_reply,
                       EXISTS (SELECT FROM easycrm_email_bounce bounce
                               WHERE bounce.email_id = email.id) AS bounced,
                       (SELECT min(mail.opened_at) FROM easycrm_email_outgoing mail
                        WHERE mail.email_id = email.id) AS opened_at,
                       content.subject, content.snippet,
                       %s AS level, CASE WHEN %s THEN %s END AS shared, (
                           SELECT mine.is_read IS TRUE FROM easycrm_email_copy mine
                           WHERE mine.email_id = email.id AND mine.account_id = ANY(%s)
                           ORDER BY mine.date DESC, mine.id DESC LIMIT 1
                       ) AS is_read
                FROM easycrm_email email
                LEFT JOIN easycrm_email_content content ON content.email_id = email.id
                WHERE email.id = ANY(%s)
                """,
                self._get_level_sql(SQL("email.id")),
                access.own_copy(self.env, SQL("email.id")),
                access.shared_level(self.env, SQL("email.id")),
                list(self.env["easycrm.email.account"]._get_own_account_ids()),
                self.ids,
            )
        )
        if len(rows) < len(self):
            raise MissingError(self.env._("This email is gone."))
        return {
            row["id"]: {
                **row,
                "date": fields.Datetime.to_string(row["date"]),
                "opened_at": fields.Datetime.to_string(row["opened_at"]),
            }
            for row in rows
        }

    def _get_people(self, limit=None):
        """Return {email id: {"from": person or False, "to", "cc", "bcc": persons,
        "more_people": how many of them are left out}}.

        :param int limit: persons of each role, of whom the user is one if he is there
        """
        people = {
            email_id: {"from": False, "to": [], "cc": [], "bcc": [], "more_people": 0}
            for email_id in self.ids
        }
        email_id = SQL("participant.email_id")
        sent = access.own_copy(self.env, email_id, "outbound")
        participants = self.env.execute_query(
            SQL(
                """
                SELECT email_id, role, name, address, amount FROM (
                    SELECT *, count(*) OVER every AS amount, row_number() OVER (
                               every ORDER BY (address IN (%s)) IS TRUE DESC, id
                           ) AS number
                    FROM easycrm_email_participant participant
                    WHERE email_id = ANY(%s) AND (role <> 'bcc' OR %s)
                    WINDOW every AS (PARTITION BY email_id, role)
                ) AS person
                WHERE %s IS NULL OR number <= %s ORDER BY id
                """,
                self._get_own_addresses_sql(),
                self.ids,
                SQL("TRUE") if self.env.su else sent,
                limit,
                limit,
            )
        )
        partners = self._get_partner_ids({row[3] for row in participants})
        mine, ours = self._get_our_addresses(
            {row[3] for row in participants if row[1] == "from"}
        )
        for email_id, role, name, address, amount in participants:
            person = {
                "name": name or "",
                "address": address,
                "me": address in mine,
                "partner_id": partners.get(address, False),
            }
            roles = people[email_id]
            if role == "from":
                # written by one of us, it is sent mail, whoever's mailbox it came from
                person["ours"] = address in ours
                roles["from"] = roles["from"] or person
            else:
                roles[role].append(person)
                if len(roles[role]) == limit:
                    roles["more_people"] += amount - limit
        return people

    @api.model
    def _get_own_addresses(self):
        """Return the addresses that are the user's own, or of his mailboxes."""
        rows = self.env.execute_query(self._get_own_addresses_sql())
        return {address for (address,) in rows if address}

    @api.model
    def _get_own_addresses_sql(self):
        accounts = self.env["easycrm.email.account"]
        accounts.flush_model(["email", "alias_emails"])
        self.env["res.partner"].flush_model(["email_normalized"])
        return SQL(
            """SELECT unnest(email || string_to_array(alias_emails, ','))
               FROM easycrm_email_account WHERE id = ANY(%s)
               UNION ALL SELECT partner.email_normalized FROM res_users users
               JOIN res_partner partner ON partner.id = users.partner_id
               WHERE users.id = %s""",
            list(accounts._get_own_account_ids()),
            self.env.uid,
        )

    @api.model
    def _get_our_addresses(self, addresses):
        """Return the user's own addresses, and those of our own people.

        :param addresses: those of our people are looked for among these
        :return: two sets; the second has also what is in the first
        """
        self.env["res.users"].flush_model(["active", "share", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT own.address, TRUE FROM (%s) AS own (address)
                UNION ALL SELECT partner.email_normalized, FALSE FROM res_users users
                JOIN res_partner partner ON partner.id = users.partner_id
                WHERE users.active AND users.share IS NOT TRUE
                  AND partner.email_normalized = ANY(%s)
                """,
                self._get_own_addresses_sql(),
                list(addresses),
            )
        )
        mine = {address for address, is_own in rows if is_own and address}
        return mine, mine | {address for address, is_own in rows if not is_own}

    @api.model
    def _get_partner_ids(self, addresses):
        """Return {address: contact id} of the contacts that this user may read."""
        self.env["easycrm.email.address"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT address, partner_id FROM easycrm_email_address
                WHERE address = ANY(%s) AND partner_id IS NOT NULL AND %s ORDER BY id
                """,
                list(addresses),
                access.readable_record(self.env, "res.partner", SQL("partner_id")),
            )
        )
        return dict(rows)

    def _get_lines(self):
        """Return {email id: [attachment]}, without the images within the text."""
        lines = {}
        for email_id, line_id, name, mimetype, size in self.env.execute_query(
            SQL(
                """
                SELECT email_id, id, name, mimetype, size FROM easycrm_email_attachment
                WHERE email_id = ANY(%s) AND inline IS NOT TRUE ORDER BY id
                """,
                self.ids,
            )
        ):
            lines.setdefault(email_id, []).append(
                {
                    "id": line_id,
                    "name": name,
                    "mimetype": mimetype,
                    "size": size or 0,
                    "url": f"/easycrm_mail/attachment/{line_id}",
                }
            )
        return lines

    def _get_sharers(self):
        """Return {email id: names of those whose mailbox shares less than all}.

        Where it is from or to some of them, the others go unnamed: in Bcc, perhaps.
        Nobody is named where a mailbox shares more and the administrator's limit alone
        hides it.
        """
        if not self:
            return {}
        mine = Domain("email_id", "in", self.ids)
        people = self.env["easycrm.email.participant"].sudo()
        addresses = {
            email.id: set(found)
            for email, found in people._read_group(
                mine & Domain("role", "!=", "bcc"), ["email_id"], ["address:array_agg"]
            )
        }
        names, limited = {}, set()
        for copy in self.env["easycrm.email.copy"].sudo().search(mine, order="id"):
            account, email_id = copy.account_id, copy.email_id.id
            if account._is_over_share_limit(account.share_level):
                limited.add(email_id)
            is_shown = account._get_own_addresses() & addresses.get(email_id, set())
            found = names.setdefault(email_id, ({}, {}))
            found[0 if is_shown else 1][account.user_id.name] = True
        return {
            email_id: list(shown or others)
            for email_id, (shown, others) in names.items()
            if email_id not in limited
        }

    def easycrm_why(self, model, res_id):
        """Say why this email stands on a record, and on which others.

        :param str model: `res.partner` or `crm.lead`
        :param int res_id: the record whose timeline asks; its own links come first
        :return: list of dict with `link_id`, `record`, `sentence`, `when`, `removed`,
            `can_take_off` and `can_put_back`; that of a lead also `only` (false, or
            who chose that the conversation is about it only) and `can_narrow`
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

        only = (links - taken_off)._get_only_values()
        return [
            {
                "link_id": link.id,
                "record": {
                    "model": get_record(link)._name,
                    "id": get_record(link).id,
                    "name": get_record(link).name,
                    "label": link._get_record_kind(),
                },
                "sentence": link._get_removed_words()
                if link in taken_off
                else link.reason,
                "when": fields.Datetime.to_string(link.sudo().write_date),
                "removed": link in taken_off,
                "can_put_back": link in taken_off
                and get_record(link).has_access("write"),
                "can_take_off": link not in taken_off
                and get_record(link).has_access("write"),
                **only.get(link.id, {}),
            }
            for link in links.sorted(
                lambda link: (
                    (get_record(link)._name, get_record(link).id) != (model, res_id)
                )
            )
            if get_record(link).has_access("read")
        ]
