import json

from odoo import api, models
from odoo.tools import SQL

#: What of a link a step may change, and puts back when it is undone.
KEPT_FIELDS = (
    *("origin", "role", "address", "removed", "narrowed", "batch", "write_uid"),
)


class EasycrmEmailLink(models.Model):
    """Emails are put on a record, many in one go, and taken off again."""

    _inherit = "easycrm.email.link"

    @api.model
    def _place(self, emails, record, batch, origin="manual", address=None):
        """Put emails on a record, as a part of a step of the current user.

        By hand, a link that was taken off comes back; a rule leaves it off.

        :param emails: as superuser
        :param record: a contact, lead or opportunity
        :param batch: the step
        :param str address: what a rule goes by
        :return: the emails that were put on it
        """
        owner = self.env["easycrm.email.address"]._get_owner_field(record._name)
        links = self.sudo()
        present = links.search(
            [(owner, "=", record.id), ("email_id", "in", emails.ids)]
        )
        back = present.filtered("removed") if origin == "manual" else links
        batch._keep(
            "link_id",
            [(link.email_id.id, link.id, link._dump_before()) for link in back],
        )
        if back:
            back.write(
                {
                    "removed": False,
                    "origin": origin,
                    "role": False,
                    "address": False,
                    "batch": str(batch.id),
                }
            )
        if origin == "manual":
            # (it stays when a conversation is about one opportunity only no more)
            present.filtered("narrowed").narrowed = False
        rows = self._insert_links(
            emails - present.email_id, record, batch, origin, address
        )
        batch._keep("link_id", [(email_id, id_, None) for id_, email_id in rows])
        return back.email_id + emails.browse(row[1] for row in rows)

    @api.model
    def _insert_links(self, emails, record, batch, origin, address):
        """Insert links in one statement; return [(id, email id)].

        What another transaction has inserted meanwhile says so by a serialization
        error: the request is made again.
        """
        if not emails:
            return []
        partner = record if record._name == "res.partner" else record.browse()
        self.flush_model()
        self.env["easycrm.email"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_link
                    (email_id, partner_id, lead_id, thread_id, commercial_partner_id,
                     company_id, date, origin, address, removed, batch,
                     create_uid, create_date, write_uid, write_date)
                SELECT id, %(partner)s, %(lead)s, thread_id, %(commercial)s,
                    company_id, date, %(origin)s, %(address)s, FALSE, %(batch)s,
                    %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                FROM easycrm_email WHERE id = ANY(%(emails)s)
                ON CONFLICT DO NOTHING
                RETURNING id, email_id, %(announced)s
                """,
                partner=partner.id or None,
                lead=None if partner else record.id,
                commercial=partner.sudo().commercial_partner_id.id or None
                if partner
                else None,
                origin=origin,
                address=address,
                batch=str(batch.id),
                uid=self.env.uid,
                emails=emails.ids,
                announced=self._announced_columns,
            )
        )
        rows = self.env.cr.fetchall()
        self._forget()
        self._announce([row[2:] for row in rows])
        emails.browse(row[1] for row in rows)._update_linked()
        return [row[:2] for row in rows]

    def _set_removed(self, removed):
        """Take emails off by hand, or put them back, as a step of the current user.

        What stands on no record any more waits in Unlinked Emails, also if it was
        ignored before.

        :return: the steps, one for each record
        """
        Batch = steps = self.env["easycrm.email.batch"].sudo()
        changed = self.filtered(lambda link: link.removed != removed)
        kind = "take_off" if removed else "put_back"
        for record, links in changed.grouped(
            lambda link: link.partner_id or link.lead_id
        ).items():
            batch = Batch._start(kind, record)
            steps |= batch
            batch._keep(
                "link_id",
                [(link.email_id.id, link.id, link._dump_before()) for link in links],
            )
            links.removed = removed
            freed = links.email_id.filtered(lambda email: not email.is_linked)
            if removed:
                self.env["easycrm.email.copy"]._unignore(freed, batch)
        return steps

    def _get_steps(self):
        """Return {batch: the step in which links were made}, as superuser."""
        ids = {int(link.batch) for link in self if (link.batch or "").isdecimal()}
        steps = self.env["easycrm.email.batch"].sudo().browse(ids).exists()
        return {str(step.id): step for step in steps}

    def _dump_before(self):
        """Return the values that a step is about to change, as JSON."""
        self.ensure_one()
        values = {name: self[name] for name in KEPT_FIELDS if name != "write_uid"}
        return json.dumps({**values, "write_uid": self.write_uid.id})

    def _put_before(self, lines, befores):
        """Bring links back to what they were before a step.

        :param lines: of the step, those of these links
        :param dict befores: {id of a line: values}
        """
        by_values = {}
        for line in lines:
            values = json.dumps(befores[line.id], sort_keys=True)
            by_values.setdefault(values, self.browse())
            by_values[values] |= line.link_id
        for values, links in by_values.items():
            values = json.loads(values)
            write_uid = values.pop("write_uid")
            links.write(values)
            # (who took it off may put it back: that is not who has undone this)
            links.flush_recordset()
            self.env.cr.execute(
                SQL(
                    "UPDATE easycrm_email_link SET write_uid = %s WHERE id = ANY(%s)",
                    write_uid,
                    links.ids,
                )
            )
            links.invalidate_recordset(["write_uid"], flush=False)
