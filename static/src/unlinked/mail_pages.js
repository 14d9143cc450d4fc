/**
 * The mail that waits, as it is asked for: groups and their mails, page after page.
 */

import {markRaw} from "@odoo/owl";

import {ALL, BY_SENDER, MODEL, MailItems, groupKey, mailKey} from "./mail_items";
import {joinPage, placeGroups} from "./mail_news";

const GROUPS_PAGE = 60;
/** Mails of a group that opening shows at once, and those that come after. */
const FIRST_ROWS = 5;
const MORE_ROWS = 80;
/** The server gives no more at once: who goes on down gets so many. */
const MAX_LIMIT = 200;
/** Groups that are asked for once more with those after them, to see where these begin by now. */
const OVERLAP = 50;

export class MailPages extends MailItems {
    /** @param {Object} orm the service itself: an answer is wanted though a component is gone */
    constructor(orm) {
        super();
        this.orm = orm;
        this.query = {domain: [], ignored: false};
        /** Counts the questions: an answer to an earlier one is dropped. */
        this.generation = 0;
        /** Loads that were asked for, and the last of them that was answered: one before it comes too late. */
        this.asked = 0;
        this.answered = 0;
        /** The newest mail is still to lie open. */
        this.opens = false;
        /** @type {"new"|"loading"|"ready"|"failed"} */
        this.status = "new";
        /** There are no groups further down: some of those that are shown may be gone, so their number does not tell. */
        this.isEnd = false;
        /** @type {"idle"|"loading"|"failed"} of the groups further down */
        this.more = "idle";
        /** @type {Set<number>} linked or ignored a moment ago: an answer asked before must not bring them back */
        this.leaving = new Set();
        /** @type {Set<string>} keys of items that were not asked for since something has changed */
        this.unsure = markRaw(new Set());
    }

    call(method, args, options = {}) {
        return this.orm.silent.call(MODEL, method, args, options);
    }

    callGroups(offset, limit, options = {}) {
        const {domain, ignored} = this.query;
        const by = this.by || BY_SENDER;
        const page = {offset, limit, ignored, by, ...options};
        return this.call("unlinked_groups", [domain], page);
    }

    callPage(key, limit, cursor = null) {
        const {domain, ignored} = this.query;
        return this.call("unlinked_page", [domain], {
            ...{cursor, limit, ignored},
            ...this.groupOptions(this.isGrouped ? key : null),
        });
    }

    /** @param {string|null} key null: of all groups */
    groupOptions(key) {
        return key === null ? {} : {key, by: this.by};
    }

    // ------------------------------------------------------------------ loading

    /**
     * Other mail is wanted: what was selected among the old goes.
     *
     * @param {{domain: Array, ignored: boolean}} query
     * @param {{opens?: boolean, by?: string}} [options] whether the newest is opened, and what it is grouped by
     */
    setQuery(query, {opens = true, by = this.by} = {}) {
        this.query = query;
        this.clearSelection();
        return this.begin(by, opens);
    }

    /** The same mail in other groups, or in none: what is selected stays. */
    setBy(by, {opens = true} = {}) {
        for (const id of this.selected.keys()) {
            this.selected.set(id, null);
        }
        return this.begin(by, opens);
    }

    begin(by, opens) {
        this.by = by;
        this.generation++;
        this.groups = markRaw([]);
        this.pages = {};
        this.opened.clear();
        this.unsure.clear();
        this.cursor = null;
        this.more = "idle";
        this.status = "loading";
        this.opens = opens;
        return this.load();
    }

    /** What is shown, anew; it stays in sight until the answer is here. */
    async load() {
        const {generation, isGrouped, opens} = this;
        const number = ++this.asked;
        const isCurrent = () =>
            this.generation === generation && this.answered < number;
        const known = this.status === "ready";
        if (!known) {
            this.status = "loading";
        }
        const keys = isGrouped ? [...this.opened] : [ALL];
        const least = isGrouped ? FIRST_ROWS : MORE_ROWS;
        const limits = keys.map((key) =>
            Math.min(Math.max(this.pages[key]?.rows.length || 0, least), MAX_LIMIT)
        );
        const leaving = new Set(this.leaving);
        try {
            const [header, ...pages] = await Promise.all([
                this.callGroups(
                    0,
                    isGrouped ? GROUPS_PAGE : 1,
                    isGrouped && opens ? {first_rows: FIRST_ROWS} : {}
                ),
                ...keys.map((key, i) => this.callPage(key, limits[i])),
            ]);
            if (!isCurrent()) {
                return;
            }
            this.answered = number;
            this.keepCursor(() => {
                this.mails = header.mails;
                this.takeGroups(isGrouped ? header : {groups: [], total: 0});
                this.takePages(keys, pages);
            });
            for (const id of leaving) {
                this.leaving.delete(id);
            }
            if (opens) {
                this.openFirst(header.first);
                this.opens = false;
            }
            this.status = "ready";
        } catch {
            if (isCurrent()) {
                this.status = known ? "ready" : "failed";
            }
        }
    }

    /** @param {{groups: import("./mail_items").Group[], total: number}} header the first of them, as they are now */
    takeGroups({groups, total}) {
        const asked = new Set(groups.map(({key}) => key));
        this.isEnd = groups.length >= total;
        this.groups = markRaw(placeGroups(this.groups, groups, this.isEnd));
        for (const {key} of this.groups) {
            this.mark(groupKey(key), asked.has(key));
        }
    }

    /** What has been opened or asked for meanwhile goes on by itself. */
    takePages(keys, pages) {
        keys.forEach((key, i) => {
            if (this.pages[key]?.status !== "loading" && this.isShown(key)) {
                const answer = this.stillHere(key, pages[i]);
                const {rows, next} = joinPage(this.pages[key], answer);
                this.pages[key] = {rows: markRaw(rows), next, status: "idle"};
                rows.forEach(({id}, index) =>
                    this.mark(mailKey(id), index < answer.rows.length)
                );
            }
        });
        for (const key of Object.keys(this.pages)) {
            if (!this.isShown(key)) {
                this.forgetPage(key);
            }
        }
    }

    forgetPage(key) {
        this.pages[key]?.rows.forEach(({id}) => this.unsure.delete(mailKey(id)));
        delete this.pages[key];
    }

    mark(key, isSure) {
        if (isSure) {
            this.unsure.delete(key);
        } else {
            this.unsure.add(key);
        }
    }

    isShown(key) {
        return this.isGrouped ? this.opened.has(key) : key === ALL;
    }

    stillHere(group, {rows, next}) {
        const left = rows.filter(({id}) => !this.leaving.has(id));
        return {rows: left.map((row) => ({...row, group})), next};
    }

    /** The groups or mails further down. */
    async loadMore() {
        if (this.status !== "ready" || this.more === "loading") {
            return;
        }
        if (!this.isGrouped) {
            return this.loadRows(ALL);
        }
        if (this.isEnd) {
            return;
        }
        const {generation} = this;
        const isCurrent = () => this.generation === generation;
        this.more = "loading";
        try {
            const header = await this.callGroupsAfter(isCurrent);
            if (!isCurrent()) {
                return;
            }
            const others = this.unknownOf(header);
            this.groups = markRaw([...this.groups, ...others]);
            this.mails = header.mails;
            this.isEnd = !others.length;
            this.more = "idle";
        } catch {
            if (isCurrent()) {
                this.more = "failed";
            }
        }
    }

    /**
     * The groups after those that are shown: mostly they come right after the last. Only where those that are shown
     * are not those that there are, since many are gone or have come above, all are gone through from the first.
     *
     * @param {() => boolean} isCurrent whether they are still wanted
     * @returns {Promise<Object>} an answer with groups that are not shown, if there are any
     */
    async callGroupsAfter(isCurrent) {
        const near = Math.max(0, this.groups.length - OVERLAP);
        let header = await this.callGroups(near, MAX_LIMIT);
        const [next] = this.unknownOf(header);
        const isNear = next
            ? next !== header.groups[0]
            : this.groups.length === header.total;
        if (isNear) {
            return header;
        }
        for (
            let offset = 0;
            isCurrent() && offset < header.total;
            offset += MAX_LIMIT
        ) {
            header = await this.callGroups(offset, MAX_LIMIT);
            if (this.unknownOf(header).length) {
                break;
            }
        }
        return header;
    }

    unknownOf({groups}) {
        const known = new Set(this.groups.map(({key}) => key));
        return groups.filter(({key}) => !known.has(key));
    }

    /** A group's first mails, or those after the ones that are here. */
    async loadRows(key) {
        this.pages[key] ||= {rows: markRaw([]), next: null, status: "idle"};
        const page = this.pages[key];
        if (page.status === "loading" || (page.rows.length && !page.next)) {
            return;
        }
        const {generation, answered} = this;
        page.status = "loading";
        try {
            const answer = await this.callPage(key, this.limitAfter(page), page.next);
            if (this.generation !== generation || this.pages[key] !== page) {
                return;
            }
            const known = new Set(page.rows.map(({id}) => id));
            const {rows, next} = this.stillHere(key, answer);
            const others = rows.filter(({id}) => !known.has(id));
            page.rows = markRaw([...page.rows, ...others]);
            if (this.answered !== answered) {
                others.forEach(({id}) => this.mark(mailKey(id), false));
            }
            page.next = next;
            page.status = "idle";
        } catch {
            page.status = "failed";
        }
    }

    /** Who looks gets a few, who goes on many. */
    limitAfter({rows: {length}}) {
        if (!length && this.isGrouped) {
            return FIRST_ROWS;
        }
        return length < MORE_ROWS ? MORE_ROWS : MAX_LIMIT;
    }

    /**
     * The newest mail lies open when one comes here.
     *
     * @param {{rows: Object[], next: any}|null} [page] the first mails of the first group
     */
    openFirst(page) {
        const [group] = this.groups;
        if (group && page) {
            const {rows, next} = this.stillHere(group.key, page);
            this.opened.add(group.key);
            this.pages[group.key] = {rows: markRaw(rows), next, status: "idle"};
        }
        const first = this.items.find(({type}) => type === "mail");
        this.cursor ||= first?.key || null;
    }

    async toggleGroup(key) {
        if (this.opened.delete(key)) {
            this.forgetPage(key);
            if (this.cursorItem === undefined) {
                this.cursor = groupKey(key);
            }
            return;
        }
        this.opened.add(key);
        await this.loadRows(key);
    }

    get isEmpty() {
        return this.status === "ready" && !this.items.length;
    }
}
