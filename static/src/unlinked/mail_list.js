/**
 * The mail that waits, as the browser knows it: groups, their mails, where the reader stands and what is
 * selected. The components only show it.
 */

import {ALL, BY_SENDER, MailItems, groupKey} from "./mail_items";

export const MODEL = "easycrm.email.copy";

const GROUPS_PAGE = 60;
/** Mails of a group that opening shows at once, and those that come after. */
const FIRST_ROWS = 5;
const MORE_ROWS = 80;
/** The server gives no more at once: a refresh asks for groups in such pieces, and leaves a group's rest for later. */
const MAX_LIMIT = 200;

export class MailList extends MailItems {
    /** @param {Object} orm the service itself: an answer is wanted though a component is gone */
    constructor(orm) {
        super();
        this.orm = orm;
        this.query = {domain: [], ignored: false};
        /** Counts the questions: an answer to an earlier one is dropped. */
        this.generation = 0;
        /** @type {"new"|"loading"|"ready"|"failed"} */
        this.status = "new";
        this.groupTotal = 0;
        /** @type {"idle"|"loading"|"failed"} of the groups further down */
        this.more = "idle";
        /** @type {Set<number>} linked or ignored a moment ago: an answer asked before must not bring them back */
        this.leaving = new Set();
    }

    call(method, args, options = {}) {
        return this.orm.silent.call(MODEL, method, args, options);
    }

    callGroups(offset, limit) {
        const {domain, ignored} = this.query;
        const by = this.by || BY_SENDER;
        return this.call("unlinked_groups", [domain], {offset, limit, ignored, by});
    }

    /** The groups that are shown, as they are now, or only how many mails there are. */
    async callHeader() {
        const wanted = this.isGrouped ? Math.max(GROUPS_PAGE, this.groups.length) : 1;
        const offsets = [];
        for (let offset = 0; offset < wanted; offset += MAX_LIMIT) {
            offsets.push(offset);
        }
        const headers = await Promise.all(
            offsets.map((offset) =>
                this.callGroups(offset, Math.min(wanted - offset, MAX_LIMIT))
            )
        );
        const groups = headers.flatMap((header) => header.groups);
        const keys = new Set();
        return {
            ...headers[0],
            groups: groups.filter(({key}) => !keys.has(key) && keys.add(key)),
        };
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
    async setQuery(query, {opens = true, by = this.by} = {}) {
        this.query = query;
        this.by = by;
        const generation = ++this.generation;
        this.groups = [];
        this.pages = {};
        this.opened.clear();
        this.clearSelection();
        this.cursor = null;
        this.more = "idle";
        this.status = "loading";
        await this.load();
        if (opens && this.generation === generation) {
            await this.openFirst();
        }
    }

    /** The same mail in other groups, or in none: what is selected stays. */
    async setBy(by, {opens = true} = {}) {
        this.by = by;
        const generation = ++this.generation;
        this.groups = [];
        this.pages = {};
        this.opened.clear();
        for (const id of this.selected.keys()) {
            this.selected.set(id, null);
        }
        this.cursor = null;
        this.status = "loading";
        await this.load();
        if (opens && this.generation === generation) {
            await this.openFirst();
        }
    }

    /** All that is shown, anew; it stays in sight until the answer is here. */
    async load() {
        const {generation, isGrouped} = this;
        const isCurrent = () => this.generation === generation;
        const known = this.status === "ready";
        if (!known) {
            this.status = "loading";
        }
        const keys = isGrouped ? [...this.opened] : [ALL];
        const limits = keys.map((key) =>
            Math.min(
                Math.max(
                    this.pages[key]?.rows.length || 0,
                    isGrouped ? FIRST_ROWS : MORE_ROWS
                ),
                MAX_LIMIT
            )
        );
        const leaving = new Set(this.leaving);
        try {
            const [header, ...pages] = await Promise.all([
                this.callHeader(),
                ...keys.map((key, i) => this.callPage(key, limits[i])),
            ]);
            if (!isCurrent()) {
                return;
            }
            this.keepCursor(() => {
                this.takeHeader(header);
                this.groups = inPlace(this.groups, header.groups);
                this.takePages(keys, pages);
            });
            for (const id of leaving) {
                this.leaving.delete(id);
            }
            this.status = "ready";
        } catch {
            if (isCurrent()) {
                this.status = known ? "ready" : "failed";
            }
        }
    }

    /** What has been opened or asked for meanwhile goes on by itself. */
    takePages(keys, pages) {
        keys.forEach((key, i) => {
            if (this.pages[key]?.status !== "loading" && this.isShown(key)) {
                this.pages[key] = {...this.stillHere(key, pages[i]), status: "idle"};
            }
        });
        for (const key of Object.keys(this.pages)) {
            if (!this.isShown(key)) {
                delete this.pages[key];
            }
        }
    }

    isShown(key) {
        return this.isGrouped ? this.opened.has(key) : key === ALL;
    }

    takeHeader({total, mails}) {
        this.groupTotal = total;
        this.mails = mails;
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
        if (this.groups.length >= this.groupTotal) {
            return;
        }
        const {generation} = this;
        this.more = "loading";
        try {
            const header = await this.callGroups(this.groups.length, GROUPS_PAGE);
            if (this.generation !== generation) {
                return;
            }
            const known = new Set(this.groups.map(({key}) => key));
            this.groups.push(...header.groups.filter(({key}) => !known.has(key)));
            this.takeHeader(header);
            if (!header.groups.length) {
                this.groupTotal = this.groups.length;
            }
            this.more = "idle";
        } catch {
            this.more = "failed";
        }
    }

    /** A group's first mails, or those after the ones that are here. */
    async loadRows(key) {
        this.pages[key] ||= {rows: [], next: null, status: "idle"};
        const page = this.pages[key];
        if (page.status === "loading" || (page.rows.length && !page.next)) {
            return;
        }
        const {generation} = this;
        const isFirst = !page.rows.length;
        page.status = "loading";
        try {
            const answer = await this.callPage(
                key,
                isFirst && this.isGrouped ? FIRST_ROWS : MORE_ROWS,
                page.next
            );
            if (this.generation !== generation || this.pages[key] !== page) {
                return;
            }
            const known = new Set(page.rows.map(({id}) => id));
            const {rows, next} = this.stillHere(key, answer);
            page.rows.push(...rows.filter(({id}) => !known.has(id)));
            page.next = next;
            page.status = "idle";
        } catch {
            page.status = "failed";
        }
    }

    /** The newest mail lies open when one comes here. */
    async openFirst() {
        if (this.isGrouped && this.groups.length) {
            const [{key}] = this.groups;
            this.opened.add(key);
            await this.loadRows(key);
        }
        const first = this.items.find(({type}) => type === "mail");
        this.cursor ||= first?.key || null;
    }

    async toggleGroup(key) {
        if (this.opened.delete(key)) {
            delete this.pages[key];
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

    // ------------------------------------------------------------------ ids that only the server knows

    /** @param {Target} target */
    async resolve(target) {
        return target.ids || (await this.callIds(target.key)).ids;
    }

    callIds(key = null) {
        const {domain, ignored} = this.query;
        return this.call("unlinked_ids", [domain], {
            ignored,
            ...this.groupOptions(key),
        });
    }

    async toggleGroupSelection(group) {
        const {key} = group;
        if (this.groupSelection(group) === "all") {
            for (const [id, known] of [...this.selected]) {
                if (known === key) {
                    this.selected.delete(id);
                }
            }
            return;
        }
        const {generation} = this;
        const {ids} = await this.callIds(key);
        if (this.generation === generation) {
            ids.forEach((id) => this.selected.set(id, key));
        }
    }

    async toggleAll() {
        if (this.selected.size) {
            this.clearSelection();
            return;
        }
        const {generation} = this;
        const {ids} = await this.callIds();
        if (this.generation === generation) {
            const known = new Map(this.rows.map(({id, group}) => [id, group]));
            ids.forEach((id) => this.selected.set(id, known.get(id) ?? null));
        }
    }

    // ------------------------------------------------------------------ mail that leaves

    /** Takes mails out of sight at once; the exact counts come with the next answer. */
    remove(ids) {
        const gone = new Set(ids);
        ids.forEach((id) => {
            this.leaving.add(id);
            this.selected.delete(id);
        });
        this.keepCursor(() => {
            for (const [key, page] of Object.entries(this.pages)) {
                const before = page.rows.length;
                page.rows = page.rows.filter(({id}) => !gone.has(id));
                const group = this.groups.find((other) => other.key === key);
                if (group) {
                    group.count -= before - page.rows.length;
                }
            }
            this.groups = this.groups.filter(({count}) => count > 0);
            this.mails = Math.max(0, this.mails - gone.size);
        });
    }

    /** Something was not as it seemed: others may have linked it. What is gone is selected no more. */
    async lookAgain() {
        await this.load();
        const ids = [...this.selected.keys()];
        const left = ids.length ? await this.findWaiting(ids) : [];
        const waiting = new Set(left);
        ids.filter((id) => !waiting.has(id)).forEach((id) => this.selected.delete(id));
    }

    /** @returns {Promise<number[]>} those of these mails that still wait */
    async findWaiting(ids) {
        return this.orm.silent
            .search(MODEL, [
                ["id", "in", ids],
                ["is_unlinked", "=", true],
            ])
            .catch(() => ids);
    }

    /** They are back: an answer may show them again. */
    bringBack(ids = null) {
        if (ids) {
            ids.forEach((id) => this.leaving.delete(id));
        } else {
            this.leaving.clear();
        }
    }
}

/**
 * Groups stay where the reader has seen them, though their newest mail has been linked; those with new mail come to
 * their new place.
 *
 * @param {Group[]} known in the order that is shown
 * @param {Group[]} groups as they are now, the newest first
 */
function inPlace(known, groups) {
    const now = new Map(groups.map((group) => [group.key, group]));
    const stays = known.filter(({key, latest}) => now.get(key)?.latest <= latest);
    const placed = stays.map(({key}) => now.get(key));
    const isPlaced = new Set(placed);
    groups.forEach((group, index) => {
        if (!isPlaced.has(group)) {
            placed.splice(placed.indexOf(groups[index - 1]) + 1, 0, group);
            isPlaced.add(group);
        }
    });
    return placed;
}
