/**
 * What a timeline is made of, without a browser: merging pages into conversations, the days they stand under,
 * and which mails of an open conversation stay folded. Everything here is pure.
 *
 * @typedef {{name: string, address: string, me: boolean, partner_id: number|false}} Person
 * @typedef {Object} Email
 * @property {number} id below zero: a mailing, see `campaign`
 * @property {number} thread_id
 * @property {string} date UTC, as the server writes it
 * @property {"inbound"|"outbound"|"campaign"} direction
 * @property {Person|false} from
 * @property {Person[]} to
 * @property {Person[]} cc
 * @property {Person[]} bcc
 * @property {number} more_people to whom it was sent too, beyond those
 * @property {string|false} subject
 * @property {string|false} snippet
 * @property {"everything"|"subject"|"metadata"} level
 * @property {string[]} sharers who shares less than all; nobody where the administrator's limit hides the rest
 * @property {"everything"|"subject"|"metadata"|null} shared what colleagues see of a mail of the reader's own
 * @property {Object[]} attachments
 * @property {import("./campaign_words").Campaign} [campaign] what became of a mailing
 * @property {number[]} versions ids of this mail as several mailboxes hold it, itself among them; empty for only one
 * @typedef {Object} Conversation
 * @property {number} thread_id
 * @property {number} count
 * @property {"shared"|"private"|"kept"|false} privacy false: the reader has nothing of it in a mailbox of his own
 * @property {Email[]} emails newest first
 */

import {deserializeDateTime, getStartOfLocalWeek} from "@web/core/l10n/dates";

/** Fewer hidden mails than this are not worth a click: they show as lines. */
const FOLD_FROM = 2;

/** The server's order, (date, id) descending; its dates compare as text. */
export function compareEmails(a, b) {
    if (a.date !== b.date) {
        return a.date < b.date ? 1 : -1;
    }
    return b.id - a.id;
}

export function mergeEmails(known, incoming) {
    const byId = new Map(known.map((email) => [email.id, email]));
    for (const email of incoming) {
        byId.set(email.id, email);
    }
    return [...byId.values()].sort(compareEmails);
}

/**
 * Adds an older page below. A conversation that is already there takes its older mails in where it stands, so that
 * nothing the reader looks at moves.
 *
 * @param {Conversation[]} conversations
 * @param {Conversation[]} page
 * @returns {Conversation[]}
 */
export function appendPage(conversations, page) {
    const merged = [...conversations];
    const indexes = new Map(merged.map(({thread_id}, index) => [thread_id, index]));
    for (const conversation of page) {
        const index = indexes.get(conversation.thread_id);
        if (index === undefined) {
            indexes.set(conversation.thread_id, merged.length);
            merged.push(conversation);
        } else {
            const {emails} = merged[index];
            merged[index] = {
                ...conversation,
                emails: mergeEmails(emails, conversation.emails),
            };
        }
    }
    return merged;
}

/** In the order of each one's newest mail. */
function byNewest(conversations) {
    return conversations.sort((a, b) => compareEmails(a.emails[0], b.emails[0]));
}

/**
 * Brings the newest page up to date: its conversations replace or join those already shown, in the order of their
 * newest mail. What the page should hold and does not is gone, except from conversations that are kept as they are.
 *
 * @param {Conversation[]} conversations
 * @param {Conversation[]} page
 * @param {{isLast: boolean, keeps: (threadId: number) => boolean}} [options] isLast: nothing comes after the page
 */
export function refreshPage(
    conversations,
    page,
    {isLast = false, keeps = () => false} = {}
) {
    const fresh = page.flatMap(({emails}) => emails);
    const ids = new Set(fresh.map(({id}) => id));
    const [last] = [...fresh].sort(compareEmails).slice(-1);
    const isGone = (email) =>
        !ids.has(email.id) && (isLast || (last && compareEmails(email, last) < 0));
    const counts = new Map(page.map(({thread_id, count}) => [thread_id, count]));
    const isWhole = ({thread_id: threadId, emails}) =>
        keeps(threadId) &&
        !isGone(emails[0]) &&
        emails.length <= (counts.get(threadId) ?? Infinity);
    const kept = conversations
        .map((conversation) =>
            isWhole(conversation)
                ? conversation
                : {
                      ...conversation,
                      emails: conversation.emails.filter((email) => !isGone(email)),
                  }
        )
        .filter(({emails}) => emails.length);
    return byNewest(appendPage(kept, page));
}

/** The mails of a page that came after everything that is shown. */
export function newEmails(conversations, page) {
    const shown = conversations.flatMap(({emails}) => emails);
    const ids = new Set(shown.map(({id}) => id));
    const [newest] = [...shown].sort(compareEmails);
    return page
        .flatMap(({emails}) => emails)
        .filter(
            (email) =>
                !ids.has(email.id) && (!newest || compareEmails(email, newest) < 0)
        );
}

/** Takes one mail off; a conversation that has none left goes too. */
export function withoutEmail(conversations, emailId) {
    return conversations
        .map((conversation) => {
            const emails = conversation.emails.filter(({id}) => id !== emailId);
            const gone = conversation.emails.length - emails.length;
            return gone
                ? {...conversation, emails, count: conversation.count - gone}
                : conversation;
        })
        .filter(({emails}) => emails.length);
}

/** Puts one mail back where it stood. */
export function withEmail(conversations, email) {
    const known = conversations.find(({thread_id}) => thread_id === email.thread_id);
    const conversation = {
        privacy: false,
        ...known,
        thread_id: email.thread_id,
        count: (known?.count || 0) + 1,
        emails: [email],
    };
    return byNewest(appendPage(conversations, [conversation]));
}

/**
 * Where a moment belongs in the story.
 *
 * @param {luxon.DateTime} date
 * @param {luxon.DateTime} now
 * @returns {"today"|"yesterday"|"week"|"last_week"|"month"}
 */
export function periodOf(date, now) {
    const today = now.startOf("day");
    if (date >= today) {
        return "today";
    }
    if (date >= today.minus({days: 1})) {
        return "yesterday";
    }
    const week = getStartOfLocalWeek(today);
    if (date >= week) {
        return "week";
    }
    return date >= week.minus({weeks: 1}) ? "last_week" : "month";
}

/**
 * @param {Conversation[]} conversations
 * @param {luxon.DateTime} now
 * @returns {{key: string, period: string, date: luxon.DateTime, conversations: Conversation[]}[]}
 */
export function groupByPeriod(conversations, now) {
    const groups = [];
    for (const conversation of conversations) {
        const date = deserializeDateTime(conversation.emails[0].date);
        const period = periodOf(date, now);
        const key = period === "month" ? date.toFormat("yyyy-MM") : period;
        if (groups.at(-1)?.key !== key) {
            groups.push({key, period, date, conversations: []});
        }
        groups.at(-1).conversations.push(conversation);
    }
    return groups;
}

/**
 * What an open conversation shows, oldest first: mails in full, mails as a line, and the rest folded.
 * On a wide screen the first mail stays in sight, on a narrow one only the last two.
 *
 * @param {Email[]} emails newest first
 * @param {{expanded: Set<number>, unfolded: boolean, narrow: boolean}} options
 * @returns {{type: "full"|"line"|"fold", key: string, email?: Email, hidden?: number}[]}
 */
export function conversationItems(emails, {expanded, unfolded, narrow}) {
    const ordered = [...emails].reverse();
    const last = ordered.length - 1;
    const items = [];
    let hidden = [];
    const flush = () => {
        if (hidden.length >= FOLD_FROM) {
            const key = `fold ${hidden[0].id}`;
            items.push({type: "fold", key, hidden: hidden.length});
        } else {
            items.push(...hidden.map(lineOf));
        }
        hidden = [];
    };
    ordered.forEach((email, index) => {
        const inSight = unfolded || index >= last - 1 || (index === 0 && !narrow);
        if (expanded.has(email.id)) {
            flush();
            items.push({type: "full", key: email.id, email});
        } else if (inSight) {
            flush();
            items.push(lineOf(email));
        } else {
            hidden.push(email);
        }
    });
    return items;
}

function lineOf(email) {
    return {type: "line", key: email.id, email};
}

/** Everybody who wrote or was written to, each once, the newest writer first. */
export function peopleOf(conversation) {
    const people = new Map();
    const add = (person) => {
        const key = person.me ? "me" : person.address || person.name;
        if (!people.has(key)) {
            people.set(key, person);
        }
    };
    for (const email of conversation.emails) {
        if (email.from) {
            add(email.from);
        }
    }
    for (const email of conversation.emails) {
        [...email.to, ...email.cc, ...email.bcc].forEach(add);
    }
    return [...people.values()];
}
