"""Answers to mailings: they count as such on the recipient that they come from."""

from datetime import timedelta
from typing import NamedTuple

from odoo.tools import SQL

from ..messages import answered_subject, same_subject
from .addresses import normalise

#: Days after a mailing in which its subject tells an answer, where nothing else does.
ANSWER_DAYS = 30

#: Who writes when a mail could not be delivered: no recipient.
MACHINES = ("mailer-daemon", "postmaster")


class Answer(NamedTuple):
    """A mail that may answer to a mailing."""

    sender: str
    date: object  # naive
    references: frozenset
    subject: str  # what it answers to; "" if it does not say so


class ReplySteps:
    """The step of `Ingest` that knows answers."""

    def _count_replies(self, messages):
        """Mark the recipients that answer, in one query where nobody does.

        :param messages: mails that are not here yet
        """
        answers = self._get_answers(messages)
        if not answers:
            return
        replied = {}
        traces, ours = self._find_answered(answers)
        for answer in answers:
            for trace_id in _choose(answer, traces, ours):
                at = replied.get(trace_id, answer.date)
                replied[trace_id] = min(at, answer.date)
        if not replied:
            return
        found = self.env["mailing.trace"].browse(sorted(replied))
        found.set_replied()
        for trace in found:
            at = replied[trace.id]
            trace.write(
                {
                    "reply_datetime": at,
                    # (who answers has read it)
                    "open_datetime": trace.open_datetime or at,
                    "failure_type": False,
                }
            )

    def _get_answers(self, messages):
        """Return what may be an answer of these mails: somebody wrote it, to us."""
        answers = []
        for message in messages:
            sender = next(
                (p.address for p in message.participants if p.role == "from"), ""
            )
            sender = normalise(sender)
            if (
                message.is_automatic
                or self._direction(message) != "inbound"
                or sender.partition("@")[0] in MACHINES
            ):
                continue
            answer = Answer(
                sender,
                self._naive(message.date),
                frozenset(message.references),
                answered_subject(message.subject),
            )
            if answer.references or answer.subject:
                answers.append(answer)
        return answers

    def _find_answered(self, answers):
        """Return the recipients that these may be answers of, and which of the
        senders are our own people.

        :return: ([(id, Message-ID, address, sent when, subject)], [address])
        """
        self.env["mailing.trace"].flush_model()
        dates = [answer.date for answer in answers]
        rows = self.env.execute_query(
            SQL(
                """
                WITH found AS MATERIALIZED (
                    SELECT id FROM mailing_trace WHERE message_id = ANY(%(references)s)
                    UNION
                    SELECT id FROM mailing_trace
                    WHERE email = ANY(%(named)s)
                      AND sent_datetime BETWEEN %(since)s AND %(until)s
                )
                SELECT trace.id, trace.message_id, trace.email, trace.sent_datetime,
                    mailing.subject, (
                        SELECT array_agg(own.address) FROM (
                            SELECT address.address FROM easycrm_email_address address
                            JOIN res_users users
                              ON users.partner_id = address.partner_id
                            WHERE address.address = ANY(%(senders)s)
                              AND users.share IS NOT TRUE
                            UNION
                            SELECT email FROM easycrm_email_account
                            WHERE email = ANY(%(senders)s)
                        ) AS own) AS ours
                FROM found JOIN mailing_trace trace ON trace.id = found.id
                JOIN mailing_mailing mailing ON mailing.id = trace.mass_mailing_id
                WHERE trace.trace_type = 'mail' AND trace.trace_status <> 'reply'
                  AND trace.is_test_trace IS NOT TRUE
                ORDER BY trace.sent_datetime DESC, trace.id
                """,
                references=list(set().union(*(a.references for a in answers))),
                named=list({a.sender for a in answers if a.subject}),
                senders=list({a.sender for a in answers}),
                since=min(dates) - timedelta(days=ANSWER_DAYS),
                until=max(dates),
            )
        )
        return [row[:5] for row in rows], rows[0][5] or [] if rows else []


def _choose(answer, traces, ours):
    """Return the ids of the recipients that an answer is one of.

    By what it refers to, whatever address it comes from: then only our own people, who
    go on with a customer's answer, are not taken for the customer. Else by its subject.
    """
    by_reference = {}
    for trace_id, message_id, address, _sent, _subject in traces:
        if message_id not in answer.references:
            continue
        is_own = normalise(address or "") == answer.sender
        if is_own or answer.sender not in ours:
            # several addresses of one record get the same Message-ID
            known = by_reference.get(message_id)
            if not known or is_own and not known[1]:
                by_reference[message_id] = trace_id, is_own
    if by_reference:
        return [trace_id for trace_id, _is_own in by_reference.values()]
    first = answer.date - timedelta(days=ANSWER_DAYS)
    return [
        trace_id
        for trace_id, _message_id, address, sent, subject in traces
        if answer.subject
        and sent
        and first <= sent <= answer.date
        and normalise(address or "") == answer.sender
        and same_subject(subject or "") == answer.subject
    ][:1]
