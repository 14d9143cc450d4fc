"""What is done with the emails that wait: link, ignore, bring back, undo."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from . import access
from .easycrm_email_address import OWNERS
from .rule_conditions import is_public, patterns_of

#: Emails that one step may be about at most.
MAX_AT_ONCE = 1000


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def link_to(self, copy_ids, model, res_id):
        """Put emails of the user's own mailboxes on a record.

        :param list copy_ids: of copies
        :param str model: `res.partner` or `crm.lead`
        :return: {"batch", "count", "message", "question"}: how many emails were put
            there, and what could be linked from now on
        :raise AccessError: the record, or an email, is not for this user
        """
        copies = self._get_own(copy_ids)
        record = self._get_record(model, res_id)
        emails = copies.sudo().email_id
        self._check_one_company(record, emails)
        batch = self.env["easycrm.email.batch"]._start("link", record)
        placed = self.env["easycrm.email.link"]._place(emails, record, batch)
        self._unignore(placed, batch)
        return {
            "batch": batch.id,
            "count": len(placed),
            "message": self._say_linked(len(placed), record),
            "question": self._get_question(batch) if placed else None,
        }

    @api.model
    def ignore(self, copy_ids, scope="these"):
        """Take emails off the list that are not worth keeping; they can be seen there.

        :param str scope: `these`, `address` or `domain` (of their senders: what waits
            from them, and what will come)
        :return: {"batch", "count", "message"}
        """
        copies = self._get_own(copy_ids)
        patterns = self._get_ignored_patterns(copies, scope)
        batch = self.env["easycrm.email.batch"]._start("ignore", scope=scope)
        count = self._set_ignored(copies, True, batch, patterns, batch._slice)
        self._remember_rules("ignore", patterns, batch)
        if patterns and count >= batch._slice:
            batch._leave_rest(count, patterns=patterns)
            accounts = access.own_account_ids(self.env)
            count += self.env["easycrm.email.tally"]._count_from(accounts, patterns)
            message = self.env._(
                "Ignoring %s mails…", formatLang(self.env, count, digits=0)
            )
            return {"batch": batch.id, "count": count, "message": message}
        if patterns:
            batch._look_again()
        if count == 1:
            message = self.env._("1 mail ignored")
        else:
            message = self.env._("%s mails ignored", count)
        return {"batch": batch.id, "count": count, "message": message}

    def action_ignore(self):
        """Ignore what is selected in a list; the toast that tells it has the Undo."""
        return {
            "type": "ir.actions.client",
            "tag": "easycrm_mail.ignored",
            "params": self.ignore(self.ids),
        }

    @api.model
    def bring_back(self, copy_ids):
        """Put ignored emails back on the list.

        :return: {"batch", "count", "message"}
        """
        copies = self._get_own(copy_ids)
        batch = self.env["easycrm.email.batch"]._start("bring_back")
        count = self._set_ignored(copies, False, batch)
        if count == 1:
            message = self.env._("1 mail brought back")
        else:
            message = self.env._("%s mails brought back", count)
        return {"batch": batch.id, "count": count, "message": message}

    @api.model
    def undo(self, batch):
        """Undo a step of one's own, with what was taught in it. Twice is harmless.

        :param int batch: as the step has returned it
        :return: {"count", "message"}
        :raise AccessError: the step is somebody else's, or its record is not for this
            user to change any more
        """
        self.browse().check_access("read")
        step = self.env["easycrm.email.batch"]._find(batch)
        count, name = step._undo_soon()
        if count is None:
            return {"count": 0, "message": self.env._("This was undone already.")}
        if step.todo:
            message = self.env._("Undoing: the mails come back little by little…")
        elif not count and name:
            message = self.env._(
                "“%s” was deleted: its mails had left it already.", name
            )
        elif count == 1:
            message = self.env._("Undone for 1 mail")
        else:
            message = self.env._("Undone for %s mails", count)
        return {"count": count, "message": message}

    # --- what may be done ---

    @api.model
    def _get_own(self, ids):
        """Return these copies, all of them the user's own.

        :raise AccessError: one is not, or is gone: which of both is not told
        """
        ids = {int(copy_id) for copy_id in ids}
        if len(ids) > MAX_AT_ONCE:
            raise UserError(
                self.env._("Please select at most %s mails at once.", MAX_AT_ONCE)
            )
        copies = self.search([("id", "in", list(ids))])
        if not ids or len(copies) < len(ids):
            raise AccessError(
                self.env._("Some of these mails are not here any more. Select again.")
            )
        return copies

    @api.model
    def _get_record(self, model, res_id):
        """Return the contact, lead or opportunity, if the user may read it.

        :raise AccessError: he may not, or it is gone: which of both is not told
        """
        record = self.env[model].browse(int(res_id)) if model in OWNERS else None
        if not record or not record.exists()._filtered_access("read"):
            raise AccessError(
                self.env._("This record is not here any more, or not yours to open.")
            )
        return record

    @api.model
    def _check_one_company(self, record, emails):
        known = record.sudo()
        if not all(one._easycrm_may_have(known) for one in emails.company_id):
            raise UserError(
                self.env._(
                    "“%(name)s” belongs to %(company)s, the mails to another company.",
                    name=record.display_name,
                    company=known.company_id.name,
                )
            )

    @api.model
    def _say_linked(self, count, record):
        name = record.display_name
        if not count:
            return self.env._("Linked to %s already", name)
        if count == 1:
            return self.env._("1 mail linked to %s", name)
        return self.env._("%(count)s mails linked to %(name)s", count=count, name=name)

    # --- ignoring ---

    @api.model
    def _get_ignored_patterns(self, copies, scope):
        """Return what is ignored from now on: addresses, or domains as `@acme.example`.

        :raise UserError: that would be too much
        """
        if scope == "these":
            return []
        addresses = {copy.from_address for copy in copies if copy.from_address}
        mine = self.env["easycrm.email"]._get_own_addresses()
        if scope not in ("address", "domain") or not addresses or addresses & mine:
            raise UserError(self.env._("Please ignore these mails one by one."))
        if scope == "address":
            return sorted(addresses)
        domains = {address.rpartition("@")[2] for address in addresses}
        ours = self._get_our_domains(domains)
        for domain in sorted(domains):
            if is_public(f"@{domain}") or domain in ours:
                raise UserError(
                    self.env._(
                        "Too many people have an address at %s: ignore the address.",
                        domain,
                    )
                )
        return [f"@{domain}" for domain in sorted(domains)]

    @api.model
    def _get_our_domains(self, domains):
        """Return which of these are domains of our own people, or of our mailboxes.

        Or have one of those below them: a rule for a domain covers these too.
        """
        self.env["easycrm.email.account"].flush_model(["email", "alias_emails"])
        self.env["easycrm.email.address"].flush_model()
        self.env["res.users"].flush_model(["share", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT split_part(ours.address, '@', -1) FROM (
                    %s
                    UNION ALL
                    SELECT unnest(email || string_to_array(alias_emails, ','))
                    FROM easycrm_email_account WHERE company_id = ANY(%s)
                    UNION ALL
                    SELECT own.address FROM easycrm_email_address own
                    JOIN res_users users ON users.partner_id = own.partner_id
                    WHERE users.share IS NOT TRUE
                ) AS ours (address)
                """,
                self.env["easycrm.email"]._get_own_addresses_sql(),
                self.env.companies.ids,
            )
        )
        covering = {pattern for (domain,) in rows for pattern in patterns_of(domain)}
        return {domain for domain in domains if f"@{domain}" in covering}

    @api.model
    def _remember_rules(self, kind, patterns, batch, **vals):
        """Add the rules of one's own that are not there yet, as a part of a step."""
        rules = self.env["easycrm.email.rule"].sudo()
        mine = [("user_id", "=", self.env.uid), ("kind", "=", kind)]
        present = rules.search([*mine, ("pattern", "in", list(patterns))])
        rules.create(
            [
                {
                    "kind": kind,
                    "pattern": pattern,
                    "user_id": self.env.uid,
                    "batch_id": batch.id,
                    **vals,
                }
                for pattern in patterns
                if pattern not in present.mapped("pattern")
            ]
        )

    @api.model
    def _set_ignored(self, copies, ignored, batch, patterns=(), limit=None):
        """Ignore emails, or not any more; return how many that changes.

        What another step has changed since stays as it is.

        :param batch: the step, which keeps what was changed
        :param patterns: what else is ignored: all that waits from these senders
        :param int limit: of these as many only, the newest
        """
        self.flush_model()
        self.env["easycrm.email.batch.line"].flush_model()
        is_before = SQL(
            """held.ignored %s AND held.is_unlinked IS TRUE AND NOT EXISTS (
                SELECT FROM easycrm_email_batch_line line
                WHERE line.copy_id = held.id AND line.batch_id > %s)""",
            # (as the index has it)
            SQL("IS NOT TRUE" if ignored else "IS TRUE"),
            batch.id,
        )
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy held SET ignored = %(ignored)s
                WHERE held.account_id = ANY(%(accounts)s) AND %(is_before)s
                  AND held.id = ANY(%(ids)s::int[] || ARRAY(%(newest)s))
                RETURNING email_id, id, account_id
                """,
                ignored=ignored,
                accounts=list(access.own_account_ids(self.env)),
                is_before=is_before,
                ids=copies.ids,
                newest=self._get_newest_from_sql(patterns, is_before, limit),
            )
        )
        self.invalidate_model(["ignored"], flush=False)
        before = f'{{"ignored": {str(not ignored).lower()}}}'
        batch._keep("copy_id", [(email, copy, before) for email, copy, _box in rows])
        self._announce_unlinked({account_id for _email, _copy, account_id in rows})
        return len(rows)

    @api.model
    def _get_newest_from_sql(self, patterns, condition, limit=None):
        """Return the query of the newest emails from some senders, by their ids.

        Of each of the user's own mailboxes along its index, as far as so many reach.

        :param patterns: those that cover the senders
        :param SQL condition: a further one, on `held`
        :param int limit: how many at most
        """
        if not patterns:
            return SQL("SELECT NULL::int WHERE FALSE")
        return SQL(
            """
            SELECT newest.id FROM unnest(%(accounts)s::int[]) AS box (id)
            CROSS JOIN LATERAL (
                SELECT held.id, held.date FROM easycrm_email_copy held
                WHERE held.account_id = box.id AND %(senders)s AND %(condition)s
                ORDER BY held.date DESC, held.id DESC LIMIT %(limit)s) AS newest
            ORDER BY newest.date DESC LIMIT %(limit)s
            """,
            accounts=list(access.own_account_ids(self.env)),
            senders=self._get_senders_sql(patterns),
            condition=condition,
            limit=limit,
        )

    @api.model
    def _get_senders_sql(self, patterns):
        """Return the condition on `held`: one of these patterns covers its sender."""
        addresses = [text for text in patterns if not text.startswith("@")]
        conditions = (
            [SQL("held.from_address = ANY(%s)", addresses)] if addresses else []
        )
        for domain in set(patterns) - set(addresses):
            conditions.append(
                SQL(
                    "(right(held.from_address, %(length)s) = %(domain)s"
                    " OR right(held.from_address, %(length)s) = %(below)s)",
                    length=len(domain),
                    domain=domain,
                    below="." + domain[1:],
                )
            )
        return SQL("(%s)", SQL(" OR ").join(conditions or [SQL("FALSE")]))

    @api.model
    def _unignore(self, emails, batch):
        """Have emails that were ignored, and are on a record now, count again."""
        ignored = self.sudo().search(
            [
                ("email_id", "in", emails.ids),
                ("account_id", "in", access.own_account_ids(self.env)),
                ("ignored", "=", True),
            ]
        )
        batch._keep(
            "copy_id",
            [(copy.email_id.id, copy.id, '{"ignored": true}') for copy in ignored],
        )
        ignored.ignored = False
