/**
 * The timeline in words: who, to whom, when, how big. Whole sentences only, so that they can be translated.
 */

import {deserializeDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {periodOf} from "./timeline_model";

const {DateTime} = luxon;

const DAY_MONTH = {day: "numeric", month: "short"};
const PEOPLE_SHOWN = 4;
/** Colours of people without a picture: see `.o_easycrm_avatar`. */
const HUES = 11;

/** Where a mail went, or came from; `chip` where what narrows to it is called otherwise. */
export const DIRECTIONS = {
    inbound: {icon: "oi oi-arrow-down-left", tone: "info", word: _t("Received")},
    outbound: {icon: "oi oi-arrow-up-right", tone: "primary", word: _t("Sent")},
    campaign: {
        icon: "fa fa-bullhorn",
        tone: "secondary",
        word: _t("Campaign"),
        chip: _t("Campaigns"),
    },
};

const NOT_DELIVERED = {
    icon: "fa fa-exclamation",
    tone: "danger",
    word: _t("Not delivered"),
};

/** Which way an email went, or that it did not get there: its icon with its font, tone and word. */
export function directionOf({direction, bounces = []}) {
    if (bounces.some(({kind}) => kind === "hard")) {
        return NOT_DELIVERED;
    }
    return DIRECTIONS[direction];
}

/** Whose a conversation is that the reader has in a mailbox of his own: see `easycrm.email.thread`. */
const PRIVACY = {
    shared: {
        icon: "fa-users",
        word: _t("Shared"),
        title: _t("Colleagues who may open this record see it."),
    },
    private: {
        icon: "fa-lock",
        word: _t("Private"),
        title: _t("Only those see it who have it in a mailbox of their own."),
    },
    kept: {
        icon: "fa-lock",
        word: _t("Private"),
        title: _t("A colleague who has it, too, keeps it private."),
    },
};

/** What is said instead of {@link PRIVACY} where colleagues see less than all. */
const SHARED_IN_PART = {
    subject: {
        word: _t("Shared: subject, who and when"),
        title: _t(
            "Colleagues who may open this record see the subject, who wrote and when."
        ),
    },
    metadata: {
        word: _t("Shared: who and when"),
        title: _t("Colleagues who may open this record see who wrote and when."),
    },
};

/** Whose a conversation is, as {@link PRIVACY}; undefined where that is not the reader's to know. */
export function privacyWords({privacy, emails: [newest]}) {
    const words = PRIVACY[privacy];
    return privacy === "shared" ? {...words, ...SHARED_IN_PART[newest?.shared]} : words;
}

/** "Re:" and "Fwd:" as the mail programs of this world write them, any number of them. */
const REPLY_PREFIXES =
    /^((re|fwd?|aw|wg|antw|sv|vs|vb|tr|rv|enc|rif|odp|pd|ynt|ilt|回复|回覆|答复|转发|轉寄|返信|転送)(\[\d+\])?\s*[:：]\s*)+/i;

/** Icon and colour of an attachment, by the start of its type. */
const FILE_ICONS = [
    [/^application\/pdf/, "fa-file-pdf-o", "danger"],
    [/^image\//, "fa-file-image-o", "primary"],
    [/sheet|excel|csv/, "fa-file-excel-o", "success"],
    [/wordprocessing|msword|opendocument\.text/, "fa-file-word-o", "info"],
    [/presentation|powerpoint/, "fa-file-powerpoint-o", "warning"],
    [/zip|compressed|tar|rar/, "fa-file-archive-o", "secondary"],
    [/^(audio|video)\//, "fa-file-video-o", "secondary"],
    [/^text\/|^message\//, "fa-file-text-o", "secondary"],
];

export function fileIcon(mimetype) {
    const found = FILE_ICONS.find(([pattern]) => pattern.test(mimetype || ""));
    return found
        ? {icon: found[1], tone: found[2]}
        : {icon: "fa-file-o", tone: "secondary"};
}

export function fileSize(bytes) {
    if (bytes < 1000) {
        return _t("%s bytes", formatInteger(bytes));
    }
    if (bytes < 999_500) {
        return _t("%s kB", formatInteger(Math.round(bytes / 1000)));
    }
    const megabytes = bytes / 1_000_000;
    const digits = megabytes < 10 ? 1 : 0;
    const number = megabytes.toLocaleString(DateTime.local().locale, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
    });
    return _t("%s MB", number);
}

export function personName(person) {
    if (!person) {
        return _t("Unknown sender");
    }
    return person.me ? _t("You") : person.name || person.address;
}

/** The first letter for a person without a picture. */
export function personInitial(person) {
    const words = (person && (person.name || person.address)) || "";
    const [letter] = words.match(/[\p{L}\p{N}]/u) || ["?"];
    return letter.toUpperCase();
}

/** The class of a person's colour: the same wherever the address stands. */
export function personHue(person) {
    let sum = 0;
    for (const letter of (person && (person.address || person.name)) || "") {
        sum = (sum * 31 + letter.codePointAt(0)) % 9973;
    }
    return `o_easycrm_hue_${sum % HUES}`;
}

/**
 * To whom, short enough for one line: the first, and who else.
 *
 * @param {import("./timeline_model").Email} email
 * @returns {{first: string, other?: string, more?: string}}
 */
export function recipientWords(email) {
    const [person, ...others] = [
        ...[...email.to].sort((a, b) => Number(b.me) - Number(a.me)),
        ...email.cc,
        ...email.bcc,
    ];
    if (!person) {
        return {first: _t("hidden recipients")};
    }
    const first = personName(person);
    const count = others.length + email.more_people;
    if (count > 1) {
        return {first, more: _t("+ %s", count)};
    }
    return others.length ? {first, other: otherWords(email, others[0])} : {first};
}

function otherWords(email, person) {
    const name = personName(person);
    if (email.cc.includes(person)) {
        return _t(", cc %s", name);
    }
    return email.bcc.includes(person) ? _t(", bcc %s", name) : _t(", %s", name);
}

/** Each role of an open mail with its people, for the lines "to … · cc …". */
export function recipientRoles(email) {
    return [
        {role: "to", word: _t("to"), people: email.to},
        {role: "cc", word: _t("cc"), people: email.cc},
        {role: "bcc", word: _t("bcc"), people: email.bcc},
    ].filter(({people}) => people.length);
}

/**
 * @param {import("./timeline_model").Person[]} people
 * @param {number} more how many there are beyond them
 */
export function peopleWords(people, more = 0) {
    const names = people.slice(0, PEOPLE_SHOWN).map(personName).join(", ");
    const rest = people.length + more - PEOPLE_SHOWN;
    return rest > 0 ? _t("%(names)s and %(count)s more", {names, count: rest}) : names;
}

/** What a conversation is about: the subject of its mails, without what answering put in front. */
export function subjectWords(email) {
    const subject = (email.subject || "").trim();
    return subject.replace(REPLY_PREFIXES, "") || subject || _t("(no subject)");
}

/** Why there is less to read than was written; empty where all is shared. */
export function levelWords(email) {
    const who = email.sharers;
    const isOne = who.length === 1;
    if (!who.length) {
        return limitWords(email.level);
    }
    switch (email.level) {
        case "metadata":
            return isOne
                ? _t("%s shares only who wrote and when.", who)
                : _t("%s share only who wrote and when.", who);
        case "subject":
            return isOne
                ? _t("%s shares only who wrote, when and the subject.", who)
                : _t("%s share only who wrote, when and the subject.", who);
    }
    return "";
}

/** The same where nobody is to be named: it is the administrator's limit that hides the rest. */
function limitWords(level) {
    switch (level) {
        case "metadata":
            return _t(
                "Your administrator lets colleagues see only who wrote and when."
            );
        case "subject":
            return _t(
                "Your administrator lets colleagues see only who wrote, when and the subject."
            );
    }
    return "";
}

/** What became of a conversation that was made private, or shared again. */
export function privacyNews(privacy) {
    switch (privacy) {
        case "private":
            return _t(
                "This conversation is private. Only those see it who have it in a mailbox of their own."
            );
        case "kept":
            return _t("It stays private: a colleague who has it, too, keeps it so.");
    }
    return _t(
        "This conversation is shared. Colleagues who may open its records see it."
    );
}

/** A sentence in two, so that what follows it never stands alone on a line. */
export function lastWords(sentence) {
    const dot = sentence.lastIndexOf(" · ");
    const cut = dot >= 0 ? dot + 3 : sentence.lastIndexOf(" ") + 1;
    return {start: sentence.slice(0, cut), end: sentence.slice(cut)};
}

/** The heading of a group of {@link import("./timeline_model").groupByPeriod}. */
export function periodWords({period, date}, now) {
    switch (period) {
        case "today":
            return _t("Today");
        case "yesterday":
            return _t("Yesterday");
        case "week":
            return _t("Earlier this week");
        case "last_week":
            return _t("Last week");
    }
    const format =
        date.year === now.year ? {month: "long"} : {month: "long", year: "numeric"};
    return date.toLocaleString(format);
}

/** When, beside a heading that already tells the period. */
export function shortTime(utc, now) {
    const date = deserializeDateTime(utc);
    switch (periodOf(date, now)) {
        case "today":
        case "yesterday":
            return date.toLocaleString(DateTime.TIME_SIMPLE);
        case "week":
        case "last_week":
            return date.toLocaleString({weekday: "short", ...DAY_MONTH});
    }
    return dayWords(date, now);
}

/** When, standing alone: the day and the time. */
export function longTime(utc, now) {
    const date = deserializeDateTime(utc);
    const time = date.toLocaleString(DateTime.TIME_SIMPLE);
    switch (periodOf(date, now)) {
        case "today":
            return _t("Today %s", time);
        case "yesterday":
            return _t("Yesterday %s", time);
    }
    return _t("%(day)s %(time)s", {day: dayWords(date, now), time});
}

/** When, where there is room for one word: today the time, before that the day. */
export function dayOrTime(utc, now) {
    const date = deserializeDateTime(utc);
    switch (periodOf(date, now)) {
        case "today":
            return date.toLocaleString(DateTime.TIME_SIMPLE);
        case "yesterday":
            return _t("Yesterday");
    }
    return dayWords(date, now);
}

/** To the minute and with its year, for a tooltip. */
export function fullTime(utc) {
    return deserializeDateTime(utc).toLocaleString(DateTime.DATETIME_FULL);
}

/** When an email was opened for the first time, where its writer had asked to be told. */
export function openedWords({opened_at: openedAt}) {
    return openedAt ? _t("Opened for the first time on %s", fullTime(openedAt)) : "";
}

function dayWords(date, now) {
    return date.toLocaleString(date.year === now.year ? DAY_MONTH : DateTime.DATE_MED);
}

/** "47 emails in 12 conversations"; where not all are counted, only how many at least. */
export function countWords({count, capped, conversations}) {
    const emails = formatInteger(count);
    if (capped) {
        return _t("%s+ emails", emails);
    }
    if (count === 0) {
        return _t("No emails");
    }
    if (count === 1) {
        return _t("1 email");
    }
    if (conversations === 1) {
        return _t("%s emails in 1 conversation", emails);
    }
    return _t("%(emails)s emails in %(conversations)s conversations", {
        emails,
        conversations: formatInteger(conversations),
    });
}

/** New mail: on the chip, and for a screen reader. */
export function newsWords(count) {
    return count === 1 ? _t("1 new email") : _t("%s new emails", formatInteger(count));
}
