"""What a rule's pattern covers, in Python and as SQL, said the same.

A pattern is an address, `anna@bank.example`, or a domain with those below it,
`@bank.example`. The SQL speaks of tables by these names: `rule`, `account` and `held`,
which is a copy in that mailbox.
"""

import re

from odoo.tools import SQL, email_normalize

from odoo.addons.iap.tools import iap_tools

from .addresses import normalise

DOMAIN = re.compile(r"[^\s@.,;:<>()\"]+(\.[^\s@.,;:<>()\"]+)+")


def read_pattern(text):
    """Return the pattern that somebody has typed; an empty text where it is none.

    :param str text: an address, or a domain as `bank.example` or `@bank.example`
    """
    text = (text or "").strip().removeprefix("*").lower()
    local, _at, domain = text.rpartition("@")
    if local:
        is_one = text.count("@") == 1 and email_normalize(text)
        return normalise(text) if is_one else ""
    # (with a name before it the domain is spelled as one of mail)
    return normalise(f"x@{domain}")[1:] if DOMAIN.fullmatch(domain) else ""


def is_public(pattern):
    """Tell whether a pattern is a domain where anybody can have an address."""
    return pattern[1:] in iap_tools._MAIL_PROVIDERS and pattern.startswith("@")


def patterns_of(address):
    """Yield the patterns that cover an address, itself first.

    :param str address: normalised
    """
    yield address
    domain = address.rpartition("@")[2]
    while domain:
        yield f"@{domain}"
        domain = domain.partition(".")[2]


def covers_copy(pattern):
    """A condition on `held` and `account`: somebody else than the mailbox is covered.

    Whoever it is, in whichever role: mail of an address is what it has written, got,
    or stands in.

    :param str pattern: of one rule; for any of many see `COVERING`
    """
    own = SQL("ALL(account.email || string_to_array(account.alias_emails, ','))")
    if not pattern.startswith("@"):
        return SQL(
            """held.email_id IN (
                   SELECT other.email_id FROM easycrm_email_participant other
                   WHERE other.address = %(address)s)
               AND %(address)s <> %(own)s""",
            address=pattern,
            own=own,
        )
    return SQL(
        """EXISTS (
            SELECT FROM easycrm_email_participant other
            WHERE other.email_id = held.email_id AND other.address <> %(own)s
              AND (right(other.address, length(%(pattern)s)) = %(pattern)s
                  OR right(other.address, length(%(pattern)s))
                      = '.' || substr(%(pattern)s, 2)))""",
        own=own,
        pattern=SQL("%s::varchar", pattern),
    )


#: The rules that cover somebody else in `held` than the mailbox, as FROM and WHERE:
#: found by the patterns of its addresses (see `patterns_of`), however many there are.
COVERING = SQL(
    """easycrm_email_participant other
       JOIN easycrm_email_rule rule ON rule.pattern = ANY (ARRAY(
           SELECT other.address
           UNION ALL
           SELECT '@' || array_to_string(names[place:], '.')
           FROM string_to_array(split_part(other.address, '@', -1), '.') AS names,
               generate_series(1, cardinality(names)) AS place))
       WHERE other.email_id = held.email_id AND other.address
           <> ALL(account.email || string_to_array(account.alias_emails, ','))"""
)


def covers_sender(pattern):
    """A condition on `held`: its sender is covered.

    :param SQL pattern: of one rule
    """
    return SQL(
        """(held.from_address = %(pattern)s
            OR starts_with(%(pattern)s, '@')
               AND right(held.from_address, length(%(pattern)s))
                   IN (%(pattern)s, '.' || substr(%(pattern)s, 2)))""",
        pattern=pattern,
    )


#: A condition on `rule` and `account`: the rule is one of its owner, or of the company
#: and not one that the owner has switched off.
APPLIES = SQL(
    """(rule.user_id = account.user_id
        OR rule.company_id = account.company_id AND (
            rule.enforced IS TRUE OR NOT EXISTS (
                SELECT FROM easycrm_email_rule_off_rel turned_off
                WHERE turned_off.rule_id = rule.id
                  AND turned_off.user_id = account.user_id)))"""
)

#: The same of what is taught in Unlinked Emails: it is also for the team's mailboxes of
#: whoever has taught it.
TAUGHT_APPLIES = SQL(
    """(%s OR EXISTS (
        SELECT FROM easycrm_email_account_member_rel member
        WHERE member.account_id = account.id AND member.user_id = rule.user_id))""",
    APPLIES,
)
