import re

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize, format_datetime

from ..messages import search_words, split_words
from . import access
from .addresses import normalise
from .easycrm_email_address import OWNERS
from .rule_conditions import patterns_of
from .timeline_filters import clean

#: Emails that are told of, the newest, and how many are looked at for a subject.
TOLD, LOOKED_AT = 5, 200

#: A Message-ID as it is copied out of a mail program, also with the name before it.
MESSAGE_ID = re.compile(
    r"(?:message-id:|rfc822msgid:)?\s*<?([^<>\s]+@[^<>\s]+)>?", re.IGNORECASE
)

MAX_ASKED = 500


class EasycrmEmailWhere(models.AbstractModel):
    """Where is my mail: what became of it, step by step, as far as one may know.

    Everything is asked as the user who asks. A step is a dict with `state` (`yes`,
    `no` or `note`), `words`, and `record` (model and id), if it is about one that the
    user may open.
    """

    _name = "easycrm.email.where"
    _description = "Where Is My Email?"

    @api.model
    def ask(self, text):
        """Tell where the emails of an address, a subject or a Message-ID are.

        :param str text: as somebody has typed it
        :return: dict with `kind` (`address`, `message_id` or `subject`), `text` (as it
            was understood), `emails` (dicts with `id`, `subject`, `date`, `from` and
            `steps`, newest first), `more` (whether there are others), `steps` (about
            the address) and `mailboxes` (dicts with `id`, `name` and `steps`)
        :raise UserError: nothing was asked for
        :raise AccessError: emails are not for this user
        """
        self.env["easycrm.email"].check_access("read")
        kind, key, emails = self._find(self._read(text))
        more = len(emails) > TOLD
        emails = emails[:TOLD]
        return {
            "kind": kind,
            "text": key,
            "emails": [self._tell_email(email) for email in emails],
            "more": more,
            "steps": self._tell_address(key) if kind == "address" else [],
            "mailboxes": [
                {
                    "id": account.id,
                    "name": account.email,
                    "steps": self._tell_mailbox(account, kind, key),
                }
                for account in self._get_mailboxes()
            ],
        }

    # --- what is asked for ---

    @api.model
    def _read(self, text):
        text = clean((text if isinstance(text, str) else "").strip()[:MAX_ASKED])
        if not text:
            raise UserError(
                self.env._("Enter an address, words of a subject, or a Message-ID.")
            )
        return text

    @api.model
    def _find(self, text):
        """Return what was asked for: the kind, how it is spelled, and the emails.

        An address and a Message-ID look alike: it is the latter if an email has it.
        """
        Email = self.env["easycrm.email"]
        if match := MESSAGE_ID.fullmatch(text):
            message_id = f"<{match[1]}>"
            emails = Email.search(
                Domain("message_id", "in", [message_id, match[1]]), limit=TOLD + 1
            )
            if emails or not email_normalize(text) or match[0][0] != match[1][0]:
                return "message_id", message_id, emails
        if email_normalize(text):
            address = normalise(text)
            people = self.env["easycrm.email.participant"]
            condition = people._search(Domain("address", "=", address))
            emails = Email.search(
                Domain("id", "in", condition.subselect("email_id")), limit=TOLD + 1
            )
            return "address", address, emails
        return "subject", text, self._find_by_subject(text)

    @api.model
    def _find_by_subject(self, text):
        """Return the newest emails in whose subject all these words are begun."""
        words = split_words(text)
        if not words:
            return self.env["easycrm.email"]
        for model in ("", ".content"):
            self.env[f"easycrm.email{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, content.subject FROM easycrm_email_content content
                JOIN easycrm_email email ON email.id = content.email_id
                WHERE content.search_vector @@ to_tsquery('simple', %s)
                  AND email.company_id IN %s AND %s
                ORDER BY email.date DESC, email.id DESC LIMIT %s
                """,
                " & ".join(word.query for word in words),
                tuple(self.env.companies.ids),
                access.visible_content(self.env, SQL("email.id"), "subject"),
                LOOKED_AT,
            )
        )
        # (the index holds what is in the bodies, too, and that may be hidden)
        found = []
        for email_id, subject in rows:
            of_subject = search_words(subject or "")
            if all(word.is_in(of_subject) for word in words):
                found.append(email_id)
        return self.env["easycrm.email"].browse(found[: TOLD + 1])

    @api.model
    def _get_mailboxes(self):
        """Return the user's own mailboxes, as superuser."""
        accounts = self.env["easycrm.email.account"].sudo()
        own = accounts.browse(accounts.with_env(self.env)._get_own_account_ids())
        return own.filtered(
            lambda account: account.active and account.company_id in self.env.companies
        )

    # --- an email ---

    @api.model
    def _tell_email(self, email):
        values = email.easycrm_values()
        sender = values["from"] or {}
        return {
            "id": email.id,
            "subject": values["subject"],
            "date": values["date"],
            "from": sender.get("name") or sender.get("address") or "",
            "steps": [
                *self._tell_held(email),
                *self._tell_links(email, values),
                *self._tell_shared(email, values),
            ],
        }

    @api.model
    def _tell_held(self, email):
        """Tell which of the user's own mailboxes hold the email, and where."""
        env = self.env
        copies = env["easycrm.email.copy"].search([("email_id", "=", email.id)])
        if not copies:
            return [make_step("note", env._("It is in none of your own mailboxes."))]
        steps = []
        for copy in copies.sudo():
            folders = copy.account_id.folder_ids.filtered(
                lambda folder, copy=copy: (
                    folder.stream in copy.location_ids.mapped("stream")
                )
            )
            values = {
                "mailbox": copy.account_id.email,
                "folders": ", ".join(folders.mapped("name")),
                "date": self._format(copy.removed_at),
            }
            if copy.removed_at:
                words = env._(
                    "%(mailbox)s had it until %(date)s. It stays here.", **values
                )
            elif folders:
                words = env._(
                    "Stored from %(mailbox)s, where it is in %(folders)s.", **values
                )
            else:
                words = env._("Stored from %(mailbox)s.", **values)
            steps.append(make_step("yes", words))
            if copy.ignored:
                steps.append(make_step("note", self._say_ignored(copy)))
        return steps

    @api.model
    def _say_ignored(self, copy):
        """Say by which rule an email is ignored, if by one that the user may know."""
        rule = self.env["easycrm.email.rule"].search(
            [
                ("kind", "=", "ignore"),
                ("pattern", "in", list(patterns_of(copy.from_address or ""))),
            ],
            limit=1,
        )
        if not rule:
            return self.env._("It is ignored among the Unlinked Emails.")
        return self.env._(
            "It is ignored among the Unlinked Emails, by the rule “%s”.", rule.pattern
        )

    @api.model
    def _tell_links(self, email, values):
        """Tell what the email stands on, or why it stands on nothing."""
        env = self.env
        steps, is_linked = [], False
        for reason in email.easycrm_why("", 0):
            told = {"name": reason["record"]["name"], "reason": reason["sentence"]}
            if reason["removed"]:
                words = env._("Not on %(name)s: %(reason)s", **told)
            else:
                words = env._("Stands on %(name)s (%(reason)s)", **told)
            record = {key: reason["record"][key] for key in ("model", "id")}
            steps.append(make_step("no" if reason["removed"] else "yes", words, record))
            is_linked = is_linked or not reason["removed"]
        if is_linked:
            return steps
        steps.append(
            make_step(
                "no",
                env._("It stands on no contact, lead or opportunity that you can see."),
            )
        )
        people = [values["from"], *values["to"], *values["cc"], *values["bcc"]]
        others = {
            person["address"]: person
            for person in people
            if person and not person["me"] and person["address"]
        }
        for address in list(others)[:TOLD]:
            steps += self._tell_address(address, email)
        return steps

    @api.model
    def _tell_shared(self, email, values):
        """Tell which setting hides the email, or some of it, from whom."""
        env = self.env
        steps = []
        levels = dict(
            env["easycrm.email.account"]
            ._fields["share_level"]
            ._description_selection(env)
        )
        if values["level"] != "everything":
            words = env._(
                "You see only this of it: “%(level)s”. %(names)s may share more.",
                level=levels[values["level"]],
                names=", ".join(values["sharers"]) or env._("Its mailbox"),
            )
            return [make_step("note", words)]
        held = env["easycrm.email.copy"].search([("email_id", "=", email.id)]).sudo()
        if held and email.sudo().thread_id.privacy == "private":
            return [
                make_step(
                    "note",
                    env._(
                        "The conversation is private: only those whose own mailbox "
                        "holds an email of it see it."
                    ),
                )
            ]
        for account in held.account_id:
            if account.share_level != "everything":
                words = env._(
                    "By the setting of %(mailbox)s, colleagues see of it: “%(level)s”.",
                    mailbox=account.email,
                    level=levels[account.share_level],
                )
                steps.append(make_step("note", words))
        return steps

    # --- an address ---

    @api.model
    def _tell_address(self, address, email=None):
        """Tell what an address finds, and what keeps it from finding an email.

        :param str address: normalised
        :param email: the email that it did not find a record for, if one
        """
        env = self.env
        Address = env["easycrm.email.address"].sudo()
        _mine, ours = env["easycrm.email"]._get_our_addresses({address})
        if address in ours and not Address._matches_colleagues():
            words = env._(
                "%s is one of your own people: emails among colleagues find no "
                "contact by themselves.",
                address,
            )
            return [make_step("note", words)]
        steps = []
        for record in self._get_holders(address):
            values = {"name": record.display_name, "address": address}
            if not record.active:
                words = env._("%(name)s has %(address)s, but is archived.", **values)
            elif email and not email.sudo().company_id._easycrm_may_have(record):
                words = env._(
                    "%(name)s has %(address)s, but belongs to another company.",
                    **values,
                )
            elif email:
                words = env._("%(name)s has %(address)s: link it by hand.", **values)
            else:
                words = env._("%(name)s has %(address)s.", **values)
            state = "no" if email or not record.active else "yes"
            place = {"model": record._name, "id": record.id}
            steps.append(make_step(state, words, place))
        if not steps:
            words = env._(
                "No contact, lead or opportunity that you can see has %s.", address
            )
            steps.append(make_step("no", words))
        if email:
            for account in self._get_mailboxes():
                steps += self._tell_rules(account, address, "never_link")
        return steps

    @api.model
    def _get_holders(self, address):
        """Return who has an address, of those whom the user may read; a few of them."""
        held = self.env["easycrm.email.address"].sudo()
        held = held._search([("address", "=", address)])
        holders = []
        for model, owner in OWNERS.items():
            records = self.env[model].with_context(active_test=False)
            if len(holders) < TOLD and records.has_access("read"):
                domain = [("id", "in", held.subselect(owner))]
                holders += records.search(
                    domain, order="id", limit=TOLD - len(holders)
                ).with_env(self.env)
        return holders

    @api.model
    def _format(self, moment):
        return format_datetime(self.env, moment, dt_format="short") if moment else ""


def make_step(state, words, record=False):
    """Return one step of an answer."""
    return {"state": state, "words": words, "record": record}
