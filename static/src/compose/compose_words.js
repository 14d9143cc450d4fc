/** The Send Email window in words. Whole sentences only, so that they can be translated. */

import {deserializeDateTime, serializeDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {fileSize} from "../timeline/timeline_words";

const {DateTime} = luxon;

/** When "morning" is. */
const MORNING = {hour: 8, minute: 30, second: 0, millisecond: 0};

export const PROVIDERS = {
    gmail: {icon: "fa-google", limit: _t("Gmail’s limit"), name: _t("Gmail")},
    outlook: {
        icon: "fa-windows",
        limit: _t("Microsoft 365’s limit"),
        name: _t("Microsoft 365"),
    },
    imap: {
        icon: "fa-envelope-o",
        limit: _t("your mail server’s limit"),
        name: _t("Your mail server"),
    },
};

/** Where a record stands: its icon. */
export const RECORD_ICONS = {
    contact: "fa-user-o",
    lead: "fa-star-o",
    opportunity: "fa-star",
};

export function draftWords(savedAt) {
    const time = deserializeDateTime(savedAt).toLocaleString(DateTime.TIME_SIMPLE);
    return _t("Draft saved %s", time);
}

/** "2 mailboxes, 3 aliases": what there is to choose from. */
export function fromWords(options) {
    const mailboxes = new Set(options.map((option) => option.account_id)).size;
    const aliases = options.length - mailboxes;
    if (options.length < 2) {
        return "";
    }
    if (!aliases) {
        return _t("%s mailboxes", mailboxes);
    }
    const aliasWords = aliases === 1 ? _t("1 alias") : _t("%s aliases", aliases);
    return mailboxes === 1
        ? aliasWords
        : _t("%(mailboxes)s mailboxes, %(aliases)s", {mailboxes, aliases: aliasWords});
}

export function missingWords(missing) {
    return missing.length === 1
        ? _t("1 value is missing: %s.", missing[0])
        : _t("%(count)s values are missing: %(names)s.", {
              count: missing.length,
              names: missing.join(", "),
          });
}

/** How large the email is, beside what its mailbox takes. */
export function sizeWords(size, limit, provider) {
    return {
        size: fileSize(size),
        of: _t("of %(limit)s (%(whose)s)", {
            limit: fileSize(limit),
            whose: PROVIDERS[provider].limit,
        }),
    };
}

export function tooLargeWords(size, limit, provider) {
    return _t(
        "%(size)s of %(limit)s. %(name)s takes at most %(limit)s. Take off %(over)s to send.",
        {
            size: fileSize(size),
            limit: fileSize(limit),
            name: PROVIDERS[provider].name,
            over: fileSize(size - limit),
        }
    );
}

/** The times at which it may be sent later, beside one that is chosen. */
export function laterTimes(now) {
    const tomorrow = now.plus({days: 1}).set(MORNING);
    let monday = now.plus({days: (8 - now.weekday) % 7 || 7}).set(MORNING);
    if (monday.equals(tomorrow)) {
        monday = monday.plus({weeks: 1});
    }
    return [
        {
            key: "tomorrow",
            icon: "fa-calendar-check-o",
            name: _t("Tomorrow morning"),
            words: tomorrow.toLocaleString({weekday: "short", ...DateTime.TIME_SIMPLE}),
            at: serializeDateTime(tomorrow),
        },
        {
            key: "monday",
            icon: "fa-calendar-plus-o",
            name: _t("Monday morning"),
            words: monday.toLocaleString({
                day: "numeric",
                month: "short",
                ...DateTime.TIME_SIMPLE,
            }),
            at: serializeDateTime(monday),
        },
    ];
}

/** What is told of an email that leaves at a time. */
export function plannedWords(scheduledAt) {
    const time = deserializeDateTime(scheduledAt).toLocaleString(DateTime.DATETIME_MED);
    return _t("It will be sent on %s.", time);
}

/** "Tomorrow 08:30": when an email leaves, or was written. */
export function whenWords(utc, now) {
    const date = deserializeDateTime(utc);
    const time = date.toLocaleString(DateTime.TIME_SIMPLE);
    const days = date.startOf("day").diff(now.startOf("day"), "days").days;
    if (days === 0) {
        return time;
    }
    if (days === 1) {
        return _t("Tomorrow %s", time);
    }
    const day = date.toLocaleString({weekday: "short", day: "numeric", month: "short"});
    return _t("%(day)s %(time)s", {day, time});
}

/** Of whom the emails of a selection go to, and who has no address. */
export function selectionWords(records) {
    const without = records.filter(({address}) => !address);
    const count = records.length - without.length;
    const people = count === 1 ? _t("1 email") : _t("%s emails, one for each", count);
    if (!without.length) {
        return people;
    }
    const names = without
        .slice(0, 3)
        .map(({name}) => name)
        .join(", ");
    return without.length > 3
        ? _t("%(people)s. %(count)s have no address: %(names)s…", {
              people,
              count: without.length,
              names,
          })
        : _t("%(people)s. Without an address: %(names)s", {people, names});
}

/** What the server has to say, for people. */
export function wordsOf(error) {
    return error?.data?.message || _t("The server could not be reached. Try again.");
}
