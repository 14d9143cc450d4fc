"""Where emails that wait may belong: suggestions, each with its reason."""

import re
from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access
from .rule_conditions import is_public

#: How many are shown.
SUGGESTED, RECENT = 6, 4

#: Emails that are looked at: those after them say little more.
LOOKED_AT = 50

#: Records that fit in one way, of which the best are taken.
CANDIDATES = 30

#: What a reason is worth: the sum of a record's decides.
WORTH = {"thread": 8, "name": 5, "domain": 4, "subject": 3, "address": 9}

#: Words of a subject that say something: not "Re", not "and".
SUBJECT_WORD = re.compile(r"[^\W\d_]{5,}")


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def suggest_records(self, copy_ids):
        """Return the records where these emails may belong.

        :param list copy_ids: of copies in the user's own mailboxes
        :return: {"suggested": cards with their reasons, "recent": cards}, of records
            that the user may read
        """
        clues = self._get_own(copy_ids)[:LOOKED_AT]._get_clues()
        reasons = defaultdict(dict)  # {record: {kind of reason: words}}
        linked, domains, companies, recent = self._find_signs(clues)
        ids = {*domains, *companies.values()}
        partners = self._find_partners(clues, linked, ids, recent)
        # (a company is suggested for its people, as far as the user may know of them)
        for partner in partners.filtered(lambda one: one.id in companies):
            domains.setdefault(companies[partner.id], domains[partner.id])
        leads = self._find_leads(clues, linked, recent)
        for record in [*partners, *leads]:
            self._add_reasons(reasons[record], record, clues, linked, domains)

        def get_rank(record):
            worth = sum(WORTH[kind] for kind in reasons[record])
            is_open = record._name == "crm.lead" and record.type == "opportunity"
            return -worth, not is_open, record._name, -record.id

        found = sorted(filter(reasons.get, reasons), key=get_rank)[:SUGGESTED]
        readable = {*partners, *leads} - set(found)
        return {
            "suggested": self._get_cards(
                found, {record: list(reasons[record].values()) for record in found}
            ),
            "recent": self._get_cards(
                [record for record in recent if record in readable][:RECENT]
            ),
        }

    def _get_clues(self):
        """Return what these emails say about where they belong.

        :return: dict of sets: "addresses" and "names" of the people in them, "domains"
            that are not public or our own, "threads", "words" of the subjects, and the
            "companies" whose mail it is
        """
        self.env["easycrm.email.participant"].flush_model()
        self.env["easycrm.email.content"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.thread_id, content.subject, person.name, person.address,
                    (SELECT array_agg(address) FROM (%s) AS own (address)),
                    email.company_id
                FROM easycrm_email_copy held
                JOIN easycrm_email email ON email.id = held.email_id
                LEFT JOIN easycrm_email_content content ON content.email_id = email.id
                LEFT JOIN easycrm_email_participant person
                  ON person.email_id = email.id AND person.role <> 'bcc'
                WHERE held.id = ANY(%s)
                """,
                self.env["easycrm.email"]._get_own_addresses_sql(),
                self.ids,
            )
        )
        mine = {address for row in rows for address in row[4] or () if address}
        ours = {address.rpartition("@")[2] for address in mine}
        others = {(row[2], row[3]) for row in rows if row[3]}
        others = {(name, address) for name, address in others if address not in mine}
        domains = {address.rpartition("@")[2] for _name, address in others}
        return {
            "addresses": {address for _name, address in others},
            "names": {name for name, _address in others if name and "@" not in name},
            "domains": {
                domain
                for domain in domains - ours
                if domain and not is_public(f"@{domain}")
            },
            "threads": {row[0] for row in rows},
            "companies": {row[5] for row in rows},
            "words": {
                word
                for subject in {row[1] for row in rows if row[1]}
                for word in SUBJECT_WORD.findall(subject.lower())
            },
        }

    @api.model
    def _find_signs(self, clues):
        """Return what the mail of before says about where these emails belong.

        :return: {(model, id): emails of their conversations that stand there};
            {contact id: domain of his address}, a bounded number, companies first: the
            people are many; {contact id: id of his company}; records that the user has
            linked mail to lately
        """
        self.env["easycrm.email.link"].flush_model()
        self.env["easycrm.email.address"].flush_model()
        self.env["easycrm.email.batch"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT 'thread', link.partner_id, link.lead_id,
                    count(DISTINCT link.email_id), NULL
                FROM easycrm_email_link link
                WHERE link.thread_id = ANY(%(threads)s) AND %(visible)s
                GROUP BY 2, 3
                UNION ALL (
                SELECT 'domain', address.partner_id, partner.commercial_partner_id, 0,
                    split_part(address.address, '@', 2)
                FROM easycrm_email_address address
                JOIN res_partner partner ON partner.id = address.partner_id
                WHERE split_part(address.address, '@', 2) = ANY(%(domains)s)
                  AND partner.active
                ORDER BY partner.is_company DESC NULLS LAST, partner.id DESC
                LIMIT %(candidates)s)
                UNION ALL (%(recent)s)
                """,
                threads=list(clues["threads"]),
                visible=access.visible_link(self.env, "link"),
                domains=sorted(clues["domains"]),
                candidates=CANDIDATES,
                recent=self._get_recent_sql(RECENT),
            )
        )
        linked, domains, companies, recent = {}, {}, {}, []
        for sign, partner_id, other_id, count, domain in rows:
            if sign == "domain":
                domains[partner_id] = domain
                companies[partner_id] = other_id
                continue
            record = ("crm.lead", other_id)
            if partner_id:
                record = ("res.partner", partner_id)
            if sign == "thread":
                linked[record] = count
            else:
                recent.append(self.env[record[0]].browse(record[1]))
        return linked, domains, companies, recent

    @api.model
    def _find_partners(self, clues, linked, of_domains, recent):
        """Return the contacts that anything speaks for, as the user may read them."""
        ids = {res_id for model, res_id in linked if model == "res.partner"}
        ids |= {record.id for record in recent if record._name == "res.partner"}
        spoken_for = Domain("id", "in", [*ids, *of_domains])
        spoken_for |= Domain("name", "in", sorted(clues["names"]))
        sharing = self.env["res.company"].browse(clues["companies"]).parent_ids
        return self.env["res.partner"].search_fetch(
            spoken_for & Domain("company_id", "in", [False, *sharing.ids]),
            ["name", "email", "is_company", "commercial_company_name"],
            order="is_company DESC, id DESC",
            limit=2 * CANDIDATES + len(ids),
        )

    @api.model
    def _find_leads(self, clues, linked, recent):
        """Return the leads that anything speaks for, as the user may read them."""
        leads = self.env["crm.lead"]
        if not leads.has_access("read"):
            return leads
        ids = [res_id for model, res_id in linked if model == "crm.lead"]
        ids += [record.id for record in recent if record._name == "crm.lead"]
        spoken_for = Domain("id", "in", ids)
        # (Odoo keeps it as @acme.example)
        domains = sorted(f"@{domain}" for domain in clues["domains"])
        spoken_for |= Domain("email_domain_criterion", "in", domains)
        spoken_for |= Domain("contact_name", "in", sorted(clues["names"]))
        spoken_for |= Domain("email_normalized", "in", sorted(clues["addresses"]))
        for word in sorted(clues["words"], key=lambda word: (-len(word), word))[:6]:
            spoken_for |= Domain("name", "ilike", word)
        return leads.search_fetch(
            spoken_for & Domain("company_id", "in", [False, *clues["companies"]]),
            [
                *("name", "type", "stage_id", "partner_name", "contact_name"),
                *("email_from", "email_normalized", "email_domain_criterion"),
            ],
            order="id DESC",
            limit=2 * CANDIDATES + len(ids),
        )

    @api.model
    def _add_reasons(self, reasons, record, clues, linked, domains):
        """Add what speaks for a record, in words."""
        env = self.env
        if linked.get((record._name, record.id)):
            reasons["thread"] = env._("Same conversation")
        if record._name == "crm.lead":
            name, domain = record.contact_name, record.email_domain_criterion
            domain = (domain or "").lstrip("@")
            domain = domain in clues["domains"] and domain
            if record.email_normalized in clues["addresses"]:
                reasons["address"] = env._("Same address: %s", record.email_normalized)
            words = clues["words"] & set(
                SUBJECT_WORD.findall((record.name or "").lower())
            )
            if words:
                shown = sorted(words, key=lambda word: (-len(word), word))[:2]
                reasons["subject"] = env._("Subject: %s", ", ".join(shown))
        else:
            name, domain = record.name, domains.get(record.id)
        if name in clues["names"]:
            reasons["name"] = env._("Same name: %s", name)
        if domain:
            reasons["domain"] = env._("Same domain: %s", domain)
