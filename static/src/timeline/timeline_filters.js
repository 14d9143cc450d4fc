/**
 * What the timeline is narrowed to. The server finds and counts; here is only what is chosen. Everything here is pure.
 *
 * @typedef {Object} Filters
 * @property {"inbound"|"outbound"|"campaign"|false} direction
 * @property {boolean} attachments
 * @property {{name: string, address: string}|false} person
 * @property {string} search
 */

import {_t} from "@web/core/l10n/translation";
import {formatList} from "@web/core/l10n/utils";
import {formatInteger} from "@web/views/fields/formatters";
import {DIRECTIONS} from "./timeline_words";

/** @type {Readonly<Filters>} */
export const NO_FILTERS = Object.freeze({
    direction: false,
    attachments: false,
    person: false,
    search: "",
});

/** How long a search may be: the server takes no more. */
export const SEARCH_LENGTH = 200;

/** Whether a chip is chosen; the search has its own field. */
export function hasChips({direction, attachments, person}) {
    return Boolean(direction || attachments || person);
}

export function isFiltered(filters) {
    return hasChips(filters) || Boolean(filters.search);
}

/** Chosen again, a chip is let go. */
export function toggled(filters, name, value) {
    const isSame =
        name === "person"
            ? filters.person?.address === value.address
            : filters[name] === value;
    return {...filters, [name]: isSame ? NO_FILTERS[name] : value};
}

/** "All": every chip is let go, the search stays. */
export function withoutChips(filters) {
    return {...NO_FILTERS, search: filters.search};
}

/** As the server takes them, only what is set; undefined for none. */
export function filterParams({direction, attachments, person, search}) {
    const params = {
        ...(direction && {direction}),
        ...(attachments && {attachments}),
        ...(person && {person: person.address}),
        ...(search && {search}),
    };
    return Object.keys(params).length ? params : undefined;
}

export function personWords({name, address}) {
    return name || address;
}

/** The chosen chips by their names. */
export function chipWords({direction, attachments, person}) {
    return [
        direction && (DIRECTIONS[direction].chip || DIRECTIONS[direction].word),
        attachments && _t("With attachments"),
        person && personWords(person),
    ].filter(Boolean);
}

export function nothingFitsWords({search}) {
    return search
        ? _t("No email fits “%s”", search)
        : _t("No email fits these filters");
}

/** What was looked through, when nothing fits: all emails that stand here, of which the chips let only some count. */
export function searchedWords(filters, lookedAt) {
    const count = formatInteger(lookedAt);
    const chips = formatList(chipWords(filters), {style: "unit"});
    if (!chips) {
        return lookedAt === 1
            ? _t("Searched 1 email.")
            : _t("Searched %s emails.", count);
    }
    return lookedAt === 1
        ? _t("Searched 1 email. Filters: %(chips)s", {chips})
        : _t("Searched %(count)s emails. Filters: %(chips)s", {count, chips});
}
