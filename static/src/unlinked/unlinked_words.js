/** Unlinked emails in words. Whole sentences only, so that they can be translated. */

import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {subjectWords} from "../timeline/timeline_words";
import {BY_DOMAIN, BY_SENDER, MAX_SELECTED} from "./mail_items";

/** Icon and word of each kind of record. */
export const KINDS = {
    contact: {icon: "fa-user", word: _t("Contact")},
    company: {icon: "fa-building-o", word: _t("Company")},
    lead: {icon: "fa-star-o", word: _t("Lead")},
    opportunity: {icon: "fa-star", word: _t("Opportunity")},
};

/** How the list is arranged, by what the server groups by. */
export const ARRANGEMENTS = [
    {by: BY_SENDER, words: _t("Grouped by sender")},
    {by: BY_DOMAIN, words: _t("Grouped by domain")},
    {by: "account_id", words: _t("Grouped by mailbox")},
    {by: "date:day", words: _t("Grouped by day")},
    {by: "date:month", words: _t("Grouped by month")},
    {by: "", words: _t("Newest first")},
];

/** Only the search bar knows of these. */
const OTHER_ARRANGEMENTS = [
    {by: "date:week", words: _t("Grouped by week")},
    {by: "date:quarter", words: _t("Grouped by quarter")},
    {by: "date:year", words: _t("Grouped by year")},
];

export function arrangementWords(by) {
    const known = [...ARRANGEMENTS, ...OTHER_ARRANGEMENTS];
    return known.find((arrangement) => arrangement.by === by)?.words || "";
}

/** The sign of a group that is no person. */
export function groupIcon(by) {
    switch (by) {
        case BY_DOMAIN:
            return "fa-at";
        case "account_id":
            return "fa-inbox";
    }
    return "fa-calendar-o";
}

export function mailsWords(count) {
    return count === 1 ? _t("1 mail") : _t("%s mails", formatInteger(count));
}

export function waitingWords(count) {
    return _t("%s waiting", formatInteger(count));
}

export function ignoredWords(count) {
    return _t("%s ignored", formatInteger(count));
}

/** For the eyes; where not all can be selected, of how many. */
export function selectedWords(count, total) {
    return count >= MAX_SELECTED && total > count
        ? _t("%(count)s of %(total)s selected", {
              count: formatInteger(count),
              total: formatInteger(total),
          })
        : _t("%s selected", formatInteger(count));
}

/** For the ears. */
export function selectedSentence(count) {
    switch (count) {
        case 0:
            return _t("No mail selected");
        case 1:
            return _t("1 mail selected");
    }
    return _t("%s mails selected", formatInteger(count));
}

export function linkWords(count, name) {
    return count === 1
        ? _t("link 1 mail to %s", name)
        : _t("link %(count)s mails to %(name)s", {count: formatInteger(count), name});
}

export function justLinkedWords(count) {
    return count === 1
        ? _t("1 mail linked just now")
        : _t("%s mails linked just now", formatInteger(count));
}

export function linkTitle(count) {
    return count === 1
        ? _t("Link 1 mail to…")
        : _t("Link %s mails to…", formatInteger(count));
}

export function moreWords({rest}, isBySender) {
    if (!rest) {
        return _t("More");
    }
    return isBySender
        ? _t("%s more from this sender", formatInteger(rest))
        : _t("%s more", formatInteger(rest));
}

/** What follows the pointer: the first, and how many with it. */
export function moreMailsWords(count) {
    return count > 1 ? _t("and %s more", formatInteger(count - 1)) : "";
}

export function placeWords(count) {
    switch (count) {
        case 0:
            return _t("Remember this");
        case 1:
            return _t("Place 1 other");
    }
    return _t("Place %s others", formatInteger(count));
}

export function placesWords(count) {
    return count === 1
        ? _t("This would also place 1 other that is waiting here.")
        : _t(
              "This would also place %s others that are waiting here.",
              formatInteger(count)
          );
}

/** The domain of an address, for a button's words; empty where there is none. */
export function domainOf(address) {
    return (address || "").split("@")[1] || "";
}

/** How machines name themselves: what stands before the @, alone or as its first words. */
const MACHINES =
    /^(no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|notifications?|notify|alerts?|newsletter|automailer)([-+].*)?$/;

/** Whether an address looks like that of a machine, which no contact has. */
export function looksAutomatic(address) {
    const [name] = (address || "").toLowerCase().split("@");
    return MACHINES.test(name.replace(/[._]/g, "-"));
}

/** A subject as it was written, answers included: here each mail stands for itself. */
export function subjectOf(row) {
    return (row.subject || "").trim() || subjectWords(row);
}
