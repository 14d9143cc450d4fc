"""What should be linked from now on: the quiet question after mails were linked."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .rule_conditions import is_public, patterns_of

#: Senders whose addresses can be taught at once.
MAX_ADDRESSES = 5


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def teach(self, batch, scope):
        """Place other mails as those of a step were, and remember it for what comes.

        :param int batch: of `link_to`; undoing it undoes this too
        :param str scope: `these` (nothing), `thread`, `address` or `domain`
        :return: {"batch", "count", "message"}: how many other mails were placed
        :raise UserError: the question does not offer that
        """
        step, record, choice = self._get_choice(batch, scope)
        emails, is_all = self._find_some_taught(choice, record, step._slice)
        count = len(emails) if is_all else self._count_taught(choice, record)
        step.scope = scope
        getattr(self, f"_teach_{scope}")(choice, record, step)
        self._place_taught(choice, record, emails, step)
        if not is_all:
            step._leave_rest(len(emails))
        elif scope in ("thread", "domain"):
            step._look_again()
        return {
            "batch": step.id,
            "count": count,
            "message": self._say_taught(count, record, is_all),
        }

    @api.model
    def _get_choice(self, batch, scope):
        """Return the step, its record and what is chosen after it.

        :raise UserError: the question does not offer that
        """
        step = self.env["easycrm.email.batch"]._find(batch)
        if step.undone_at or step.kind != "link" or not step._get_record():
            raise UserError(self.env._("This step was undone, or its record deleted."))
        if step.todo:
            raise UserError(self.env._("This is still being done. Please wait a bit."))
        record = self._get_record(step._get_record()._name, step._get_record().id)
        for choice in self._get_choices(step, record):
            if choice["scope"] == scope:
                if choice["why"]:
                    raise UserError(choice["why"])
                return step, record, choice
        raise UserError(self.env._("Unknown choice."))

    @api.model
    def _say_taught(self, count, record, is_all=True):
        name = record.display_name
        if not is_all:
            return self.env._(
                "Linking %(count)s other mails to %(name)s…",
                count=formatLang(self.env, count, digits=0),
                name=name,
            )
        if not count:
            return self.env._("Remembered for %s", name)
        if count == 1:
            return self.env._("1 other mail linked to %s", name)
        return self.env._(
            "%(count)s other mails linked to %(name)s", count=count, name=name
        )

    @api.model
    def _get_question(self, batch):
        """Return what can be taught after a step, each with what it also places."""
        record = batch._get_record().with_env(self.env)
        return {
            "title": self.env._("What should be linked from now on?"),
            "options": [
                {
                    "scope": choice["scope"],
                    "label": choice["label"],
                    "detail": choice["detail"],
                    "count": self._count_taught(choice, record),
                    "disabled": bool(choice["why"]),
                    "why": choice["why"] or None,
                }
                for choice in self._get_choices(batch, record)
            ],
        }

    # --- the choices ---

    @api.model
    def _get_choices(self, batch, record):
        """Return what can be chosen: a dict each.

        :return: list of dict with `scope`, `label`, `detail`, `why` (it cannot be
            chosen), and what is taught: `threads`, `addresses`, or `domain` and
            `company`
        """
        threads, addresses = self._get_correspondents(batch)
        count = len(batch.line_ids.filtered("link_id").email_id)
        return [
            {
                "scope": "these",
                "label": self.env._("Only this mail")
                if count == 1
                else self.env._("Only these %s mails", count),
                "detail": self.env._("Nothing else changes"),
                "why": "",
            },
            {
                "scope": "thread",
                "label": self.env._("The whole conversation")
                if len(threads) == 1
                else self.env._("The %s conversations", len(threads)),
                "detail": self.env._("Its answers follow")
                if len(threads) == 1
                else self.env._("Their answers follow"),
                "why": "",
                "threads": threads,
            },
            self._get_address_choice(addresses, record),
            self._get_domain_choice(addresses, record),
        ]

    @api.model
    def _get_correspondents(self, batch):
        """Return whom the mails of a step are with.

        :return: ids of the conversations, and the addresses: of the senders, or of
            whom it was sent to
        """
        for model in ("", ".participant", ".batch.line"):
            self.env[f"easycrm.email{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT email.thread_id, person.address
                FROM easycrm_email_batch_line line
                JOIN easycrm_email email ON email.id = line.email_id
                LEFT JOIN easycrm_email_participant person
                  ON person.email_id = email.id AND person.role
                     = CASE email.direction WHEN 'inbound' THEN 'from' ELSE 'to' END
                WHERE line.batch_id = %s AND line.link_id IS NOT NULL
                """,
                batch.id,
            )
        )
        threads = sorted({thread_id for thread_id, _address in rows})
        return threads, sorted({address for _thread, address in rows if address})

    @api.model
    def _get_address_choice(self, addresses, record):
        env, why = self.env, ""
        _mine, ours = env["easycrm.email"]._get_our_addresses(addresses)
        present = env["easycrm.email.address"].sudo()
        owner = present._get_owner_field(record._name)
        present = present.search(
            [(owner, "=", record.id), ("address", "in", addresses)]
        )
        if not addresses or ours & set(addresses):
            why = env._("That is an address of your own people.")
        elif len(addresses) > MAX_ADDRESSES:
            why = env._("These mails are with %s people.", len(addresses))
        elif not record.has_access("write"):
            why = env._("You may not change %s.", record.display_name)
        elif len(present) == len(addresses):
            why = env._("%s has it already.", record.display_name)
        if len(addresses) == 1:
            label = env._("Always %s", addresses[0])
            detail = env._("Becomes a further address of %s", record.display_name)
        else:
            label = env._("Always these %s addresses", len(addresses))
            detail = ", ".join(addresses[:MAX_ADDRESSES])
        return {
            "scope": "address",
            "label": label,
            "detail": detail,
            "why": why,
            "addresses": addresses,
        }

    @api.model
    def _get_domain_choice(self, addresses, record):
        env, why = self.env, ""
        domains = {address.rpartition("@")[2] for address in addresses}
        domain = min(domains, default="")
        company = self._get_company(record)
        rule = env["easycrm.email.rule"].search(
            [
                ("user_id", "=", env.uid),
                ("kind", "=", "always_link"),
                ("pattern", "in", list(patterns_of(f"@{domain}"))),
            ],
            limit=1,
        )
        if len(domains) != 1:
            why = env._("These mails are from several domains.")
        elif is_public(f"@{domain}"):
            why = env._("Anybody can have an address at %s.", domain)
        elif "." not in domain or self._get_our_domains({domain}):
            why = env._("That is your own domain.")
        elif not company:
            why = env._("%s belongs to no company.", record.display_name)
        elif rule:
            why = env._("You have a rule for it.")
            if goes_to := rule.partner_id._filtered_access("read"):
                why = env._("You have a rule for it: it goes to %s.", goes_to.name)
        return {
            "scope": "domain",
            "label": env._("Always @%s", domain)
            if len(domains) == 1
            else env._("Always this domain"),
            "detail": env._("Goes to the company %s", company.name) if company else "",
            "why": why,
            "domain": domain,
            "company": company,
        }

    @api.model
    def _get_company(self, record):
        """Return the company of a record, if it has one that the user may read."""
        partner = record if record._name == "res.partner" else record.partner_id
        company = partner.sudo().commercial_partner_id.sudo(False)
        if not company.sudo().is_company:
            return company.browse()
        return company._filtered_access("read")

    # --- what is remembered ---

    @api.model
    def _teach_these(self, choice, record, step):
        """Remember nothing."""

    @api.model
    def _teach_thread(self, choice, record, step):
        follows = self.env["easycrm.email.thread.follow"].sudo()
        follows._follow(choice["threads"], record, step)

    @api.model
    def _teach_address(self, choice, record, step):
        self.env["easycrm.email.address"]._teach(record, choice["addresses"], step)

    @api.model
    def _teach_domain(self, choice, record, step):
        pattern, company = f"@{choice['domain']}", choice["company"]
        self._remember_rules("always_link", [pattern], step, partner_id=company.id)

    @api.model
    def _place_taught(self, choice, record, emails, step):
        """Place emails that wait as a choice says, as a part of its step."""
        if choice["scope"] == "address":
            self.env["easycrm.email.address"]._place_taught(step, emails)
            return
        is_domain = choice["scope"] == "domain"
        self.env["easycrm.email.link"]._place(
            emails,
            choice["company"] if is_domain else record,
            step,
            origin="rule",
            address=f"@{choice['domain']}" if is_domain else None,
        )
