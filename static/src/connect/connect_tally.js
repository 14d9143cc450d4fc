/**
 * What a look at a mailbox has found so far, and what of it is wanted. Every mail counts once, in however many folders
 * it stands and however often it comes. Everything here is pure.
 */

/**
 * @typedef {Object} Choices
 * @property {string[]} folders streams that are wanted
 * @property {string} since a day; mail of before is not wanted
 * @property {boolean} ignoreAutomatic
 * @property {boolean} ignorePrivate
 *
 * @typedef {"match"|"strangers"|"never_link"|"colleagues"|"private"|"automatic"|"never_store"} Kind
 */

/** The kinds, as they stand upon each other in a bar. */
export const KINDS = [
    "match",
    "strangers",
    "never_link",
    "colleagues",
    "private",
    "automatic",
    "never_store",
];

/** Those of them that do not come in. */
const LEFT_OUT = ["private", "automatic", "never_store"];

function noneOfEach() {
    return Object.fromEntries(KINDS.map((kind) => [kind, 0]));
}

/** What a mail is under these choices; the first reason to leave it out counts, as when it is read. */
function kindOf(mail, {ignoreAutomatic, ignorePrivate}) {
    if (mail.kind === "never_store") {
        return mail.kind;
    }
    if (ignoreAutomatic && mail.isAutomatic) {
        return "automatic";
    }
    return ignorePrivate && mail.privateSender ? "private" : mail.kind;
}

/** Bars at most: a look at many years is told by months. */
const MAX_WEEKS = 60;
const MAX_BARS = 600;

/** Where more is wanted, the bars begin with the oldest mail. */
const MAX_YEARS = 5;

export class Tally {
    /** @type {Map<string, Object>} what a mail is known by -> what it is, and its folders */
    mails = new Map();

    /**
     * Takes in a page.
     *
     * @param {string} stream
     * @param {Array[]} rows as `connect_look` gives them
     */
    add(stream, rows) {
        for (const [
            key,
            day,
            kind,
            isAutomatic,
            contacts,
            leads,
            opportunities,
            privateSender,
        ] of rows) {
            const known = this.mails.get(key);
            if (known) {
                known.streams.add(stream);
                continue;
            }
            const streams = new Set([stream]);
            this.mails.set(key, {
                day,
                kind,
                isAutomatic,
                contacts,
                leads,
                opportunities,
                privateSender,
                streams,
            });
        }
    }

    /** How many mails of one folder, from a day on. */
    countFolder(stream, since) {
        let count = 0;
        for (const mail of this.mails.values()) {
            count += mail.streams.has(stream) && mail.day >= since;
        }
        return count;
    }

    /**
     * What was found of what is wanted.
     *
     * @param {Choices} choices
     */
    count(choices) {
        const {folders, since} = choices;
        const counts = noneOfEach();
        const records = {
            contacts: new Set(),
            leads: new Set(),
            opportunities: new Set(),
        };
        /** @type {Map<string, Object>} day -> how many of each kind */
        const days = new Map();
        /** @type {Map<string, number>} who sent what looks private -> how many */
        const senders = new Map();
        for (const mail of this.mails.values()) {
            if (
                mail.day < since ||
                !folders.some((stream) => mail.streams.has(stream))
            ) {
                continue;
            }
            const kind = kindOf(mail, choices);
            counts[kind]++;
            if (!days.has(mail.day)) {
                days.set(mail.day, noneOfEach());
            }
            days.get(mail.day)[kind]++;
            if (kind === "private") {
                const sender = mail.privateSender;
                senders.set(sender, (senders.get(sender) || 0) + 1);
            }
            if (kind === "match") {
                for (const name in records) {
                    mail[name].forEach((id) => records[name].add(id));
                }
            }
        }
        return {
            ...counts,
            mails: KINDS.reduce((sum, kind) => sum + counts[kind], 0),
            wanted: KINDS.filter((kind) => !LEFT_OUT.includes(kind)).reduce(
                (sum, kind) => sum + counts[kind],
                0
            ),
            senders: [...senders].sort((one, other) => other[1] - one[1]),
            contacts: records.contacts.size,
            leads: records.leads.size,
            opportunities: records.opportunities.size,
            ...makeBars(days, since),
        };
    }
}

/**
 * The bars of a chart: a week each, from Monday on, or a month where there are many; also those in which nothing came.
 *
 * @param {Map<string, Object>} days
 * @param {string} since the first day that is wanted
 * @returns {{bars: Object[], unit: string}} each with `from` (a day), and how many of each kind
 */
function makeBars(days, since) {
    const {DateTime} = luxon;
    const utc = (day) => DateTime.fromISO(day, {zone: "utc"});
    const last = DateTime.utc();
    const isOpen = last.diff(utc(since), "years").years > MAX_YEARS;
    const first = utc(isOpen ? [...days.keys()].sort()[0] || last.toISODate() : since);
    const unit = last.diff(first, "weeks").weeks > MAX_WEEKS ? "month" : "week";
    const bars = new Map();
    let at = first.startOf(unit);
    while (at <= last && bars.size < MAX_BARS) {
        const from = at.toISODate();
        bars.set(from, {from, ...noneOfEach()});
        at = at.plus({[unit]: 1});
    }
    for (const [day, counts] of days) {
        const bar = bars.get(utc(day).startOf(unit).toISODate());
        for (const kind of bar ? KINDS : []) {
            bar[kind] += counts[kind];
        }
    }
    return {bars: [...bars.values()], unit};
}
