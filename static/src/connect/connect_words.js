/** What the connect window says. */

import {deserializeDate} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {timeLeftWords} from "../sync/time_left";

const MINUTE = 60_000;
/** Words that have room side by side under a chart. */
const CHART_WORDS = 12;
/** Emails that a first reading brings in a minute, to tell roughly how long it takes. */
const SPEED = {gmail: 250, outlook: 900, imap: 3000};

/** The steps, as the arrows name them. */
export const STEPS = [
    ["mailbox", _t("Mailbox")],
    ["sign_in", _t("Sign in")],
    ["look", _t("Look first")],
    ["start", _t("Start")],
];

export const SERVICES = {gmail: "Google", outlook: "Microsoft", imap: ""};

/** The day from which on everything is read. */
export const ALL_SINCE = "1970-01-01";

/** "1 Aug", with the year where it is another one. */
export function dayWords(day) {
    const date = deserializeDate(day);
    const format = {day: "numeric", month: "short"};
    if (date.year !== luxon.DateTime.now().year) {
        format.year = "numeric";
    }
    return date.toLocaleString(format);
}

/** What stands under the bars: a month where it begins, under bars of a month each a year. */
export function barWords(bars, unit, since) {
    const format = unit === "week" ? {month: "short"} : {year: "numeric"};
    const names = bars.map(({from}) =>
        deserializeDate(from > since ? from : since).toLocaleString(format)
    );
    const words = names.map((name, at) => (name === names[at - 1] ? "" : name));
    const second = words.findIndex((word, at) => at && word);
    if (second > 0 && second < bars.length / CHART_WORDS) {
        words[0] = "";
    }
    return words;
}

/** "702 of about 1,900 mails looked at" */
export function progressWords({done, total, status}) {
    const values = {done: formatInteger(done), total: formatInteger(total)};
    if (status === "done") {
        return _t("%(done)s of %(total)s mails looked at, headers only", values);
    }
    if (!total) {
        return status === "error" ? _t("Not counted yet") : _t("Counting the mails…");
    }
    values.total = formatInteger(roughly(total));
    return done < total
        ? _t("%(done)s of about %(total)s mails looked at", values)
        : _t("%(done)s mails looked at", values);
}

/** To two figures, as a guess is told. */
function roughly(number) {
    const unit = 10 ** Math.max(Math.floor(Math.log10(number)) - 1, 0);
    return Math.ceil(number / unit) * unit;
}

/** "25 s left" */
export function secondsLeftWords(left) {
    if (left === null || left >= MINUTE) {
        return timeLeftWords(left);
    }
    return _t("%s s left", Math.max(Math.ceil(left / 5000) * 5, 5));
}

export function contactsWords(count) {
    return count === 1 ? _t("1 contact") : _t("%s contacts", formatInteger(count));
}

function opportunitiesWords({leads, opportunities}) {
    if (leads && !opportunities) {
        return leads === 1 ? _t("1 lead") : _t("%s leads", formatInteger(leads));
    }
    return opportunities === 1
        ? _t("1 open opportunity")
        : _t("%s open opportunities", formatInteger(opportunities));
}

/** "88 contacts and 14 open opportunities" */
export function recordsWords(counts) {
    if (!counts.leads && !counts.opportunities) {
        return contactsWords(counts.contacts);
    }
    if (!counts.contacts) {
        return opportunitiesWords(counts);
    }
    return _t("%(contacts)s and %(opportunities)s", {
        contacts: contactsWords(counts.contacts),
        opportunities: opportunitiesWords(counts),
    });
}

function mailsWords(count) {
    return count === 1 ? _t("1 mail") : _t("%s mails", formatInteger(count));
}

/** "1,904 mails since 1 Aug: 612 match 88 contacts and 14 open opportunities" */
export function resultWords(counts, since, isAll) {
    const values = {
        mails: mailsWords(counts.mails),
        match: formatInteger(counts.match),
        day: isAll ? "" : dayWords(since),
        records: recordsWords(counts),
    };
    if (!counts.mails) {
        return isAll
            ? _t("There is no mail in these folders")
            : _t("No mail since %(day)s in these folders", values);
    }
    if (!counts.match) {
        return isAll
            ? _t("%(mails)s: none match a contact yet", values)
            : _t("%(mails)s since %(day)s: none match a contact yet", values);
    }
    return isAll
        ? _t("%(mails)s: %(match)s match %(records)s", values)
        : _t("%(mails)s since %(day)s: %(match)s match %(records)s", values);
}

/** "Reads 1,852 mails, newest first, about 4 min. You can go on working." */
export function readsWords(count, provider) {
    if (!count) {
        return _t("New mail comes in from now on. You can go on working.");
    }
    const minutes = Math.max(Math.round(count / SPEED[provider]), 1);
    const values = {count: formatInteger(count), minutes: formatInteger(minutes)};
    return count === 1
        ? _t("Reads 1 mail. You can go on working.")
        : _t(
              "Reads %(count)s mails, newest first, about %(minutes)s min. You can go on working.",
              values
          );
}
