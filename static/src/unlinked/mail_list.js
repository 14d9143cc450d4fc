/**
 * The mail that waits, as the browser knows it: groups of senders, their mails, where the reader stands and what is
 * selected. The components only show it.
 */

import {ALL, MailItems, groupKey} from "./mail_items";

export const MODEL = "easycrm.email.copy";

const GROUPS_PAGE = 60;
/** Mails of a sender that opening shows at once, and those that come after. */
const FIRST_ROWS = 5;
const MORE_ROWS = 80;
/** The server gives no more at once: a refresh asks for groups in such pieces, and leaves a sender's rest for later. */
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
        return this.call("unlinked_groups", [domain], {offset, limit, ignored});
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
        const addresses = new Set();
        return {
            ...headers[0],
            groups: groups.filter(
                ({address}) => !addresses.has(address) && addresses.add(address)
            ),
        };
    }

    callPage(address, limit, cursor = null) {
        const {domain, ignored} = this.query;
        return this.call("unlinked_page", [domain], {
            ...{cursor, limit, ignored, address: this.isGrouped ? address : null},
        });
    }

    // ------------------------------------------------------------------ loading

    /** Other mail is wanted: what was selected among the old goes. */
    async setQuery(query, {opens = true} = {}) {
        this.query = query;
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

    async setGrouped(isGrouped) {
        this.isGrouped = isGrouped;
        const generation = ++this.generation;
        this.pages = {};
        this.cursor = null;
        this.status = "loading";
        await this.load();
        if (this.generation === generation) {
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
        const addresses = isGrouped ? [...this.opened] : [ALL];
        const limits = addresses.map((address) =>
            Math.min(
                Math.max(
                    this.pages[address]?.rows.length || 0,
                    isGrouped ? FIRST_ROWS : MORE_ROWS
                ),
                MAX_LIMIT
            )
        );
        const leaving = new Set(this.leaving);
        try {
            const [header, ...pages] = await Promise.all([
                this.callHeader(),
                ...addresses.map((address, i) => this.callPage(address, limits[i])),
            ]);
            if (!isCurrent()) {
                return;
            }
            this.keepCursor(() => {
                this.takeHeader(header);
                this.groups = inPlace(this.groups, header.groups);
                this.takePages(addresses, pages);
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
    takePages(addresses, pages) {
        addresses.forEach((address, i) => {
            if (this.pages[address]?.status !== "loading" && this.isShown(address)) {
                this.pages[address] = {...this.stillHere(pages[i]), status: "idle"};
            }
        });
        for (const address of Object.keys(this.pages)) {
            if (!this.isShown(address)) {
                delete this.pages[address];
            }
        }
    }

    isShown(address) {
        return this.isGrouped ? this.opened.has(address) : address === ALL;
    }

    takeHeader({total, mails}) {
        this.groupTotal = total;
        this.mails = mails;
    }

    stillHere({rows, next}) {
        return {rows: rows.filter(({id}) => !this.leaving.has(id)), next};
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
            const known = new Set(this.groups.map(({address}) => address));
            this.groups.push(
                ...header.groups.filter((group) => !known.has(group.address))
            );
            this.takeHeader(header);
            if (!header.groups.length) {
                this.groupTotal = this.groups.length;
            }
            this.more = "idle";
        } catch {
            this.more = "failed";
        }
    }

    /** A sender's first mails, or those after the ones that are here. */
    async loadRows(address) {
        this.pages[address] ||= {rows: [], next: null, status: "idle"};
        const page = this.pages[address];
        if (page.status === "loading" || (page.rows.length && !page.next)) {
            return;
        }
        const {generation} = this;
        const isFirst = !page.rows.length;
        page.status = "loading";
        try {
            const answer = await this.callPage(
                address,
                isFirst && this.isGrouped ? FIRST_ROWS : MORE_ROWS,
                page.next
            );
            if (this.generation !== generation || this.pages[address] !== page) {
                return;
            }
            const known = new Set(page.rows.map(({id}) => id));
            const {rows, next} = this.stillHere(answer);
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
            const [{address}] = this.groups;
            this.opened.add(address);
            await this.loadRows(address);
        }
        const first = this.items.find(({type}) => type === "mail");
        this.cursor ||= first?.key || null;
    }

    async toggleGroup(address) {
        if (this.opened.delete(address)) {
            delete this.pages[address];
            if (this.cursorItem === undefined) {
                this.cursor = groupKey(address);
            }
            return;
        }
        this.opened.add(address);
        await this.loadRows(address);
    }

    get isEmpty() {
        return this.status === "ready" && !this.items.length;
    }

    // ------------------------------------------------------------------ ids that only the server knows

    /** @param {Target} target */
    async resolve(target) {
        return target.ids || (await this.callIds(target.address)).ids;
    }

    callIds(address = null) {
        const {domain, ignored} = this.query;
        return this.call("unlinked_ids", [domain], {address, ignored});
    }

    async toggleGroupSelection(group) {
        const {address} = group;
        if (this.groupSelection(group) === "all") {
            for (const [id, sender] of [...this.selected]) {
                if (sender === address) {
                    this.selected.delete(id);
                }
            }
            return;
        }
        const {generation} = this;
        const {ids} = await this.callIds(address);
        if (this.generation === generation) {
            ids.forEach((id) => this.selected.set(id, address));
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
            const senders = new Map(this.rows.map((row) => [row.id, row.from_address]));
            ids.forEach((id) => this.selected.set(id, senders.get(id) || null));
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
            for (const [address, page] of Object.entries(this.pages)) {
                const before = page.rows.length;
                page.rows = page.rows.filter(({id}) => !gone.has(id));
                const group = this.groups.find((other) => other.address === address);
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
 * Senders stay where the reader has seen them, though their newest mail has been linked; those with new mail come to
 * their new place.
 *
 * @param {Group[]} known in the order that is shown
 * @param {Group[]} groups as they are now, the newest first
 */
function inPlace(known, groups) {
    const now = new Map(groups.map((group) => [group.address, group]));
    const stays = known.filter(
        ({address, latest}) => now.get(address)?.latest <= latest
    );
    const placed = stays.map(({address}) => now.get(address));
    const isPlaced = new Set(placed);
    groups.forEach((group, index) => {
        if (!isPlaced.has(group)) {
            placed.splice(placed.indexOf(groups[index - 1]) + 1, 0, group);
            isPlaced.add(group);
        }
    });
    return placed;
}
