/**
 * The mail that waits, as the browser knows it: groups of senders, their mails, where the reader stands and what is
 * selected. The components only show it.
 */

export const MODEL = "easycrm.email.copy";

const GROUPS_PAGE = 60;
/** Mails of a sender that opening shows at once, and those that come after. */
const FIRST_ROWS = 5;
const MORE_ROWS = 80;
/** A refresh brings back that many mails of a sender at most; the rest is a page further down. */
const MAX_REFRESHED = 400;

/** The page of all mail, when it is not grouped. */
const ALL = "";

/** Pixels; the list places its items by them. */
export const HEIGHTS = {group: 54, mail: 54, more: 40};

export const groupKey = (address) => `g:${address}`;
export const mailKey = (id) => `m:${id}`;

/**
 * @typedef {Object} Row one mail of one mailbox
 * @property {number} id
 * @property {number} email_id
 * @property {number} thread_id
 * @property {string} from_name
 * @property {string} from_address
 * @property {string} subject
 * @property {string} snippet
 * @property {string} date UTC
 * @property {boolean} has_attachments
 * @property {boolean} is_read
 *
 * @typedef {{address: string, name: string, count: number, latest: string, subject: string}} Group
 *
 * @typedef {Object} Target what an action is about: mails by id, or all of a sender
 * @property {number[]} [ids]
 * @property {string} [address]
 * @property {number} count
 * @property {Row} [row] the one mail that it is
 * @property {Group} [group]
 */

export class MailList {
    /** @param {Object} orm the service itself: an answer is wanted though a component is gone */
    constructor(orm) {
        this.orm = orm;
        this.query = {domain: [], ignored: false};
        /** Counts the questions: an answer to an earlier one is dropped. */
        this.generation = 0;
        this.isGrouped = true;
        /** @type {"new"|"loading"|"ready"|"failed"} */
        this.status = "new";
        /** @type {Group[]} */
        this.groups = [];
        this.groupTotal = 0;
        /** How many mails wait, exactly. */
        this.mails = 0;
        /** @type {"idle"|"loading"|"failed"} of the groups further down */
        this.more = "idle";
        /** @type {Object<string, {rows: Row[], next: any, status: "loading"|"idle"|"failed"}>} by address */
        this.pages = {};
        /** @type {Set<string>} addresses whose mails are shown */
        this.opened = new Set();
        /** @type {string|null} key of the item that the reader stands on */
        this.cursor = null;
        /** @type {Map<number, string|null>} the selected mails, and their sender where it is known */
        this.selected = new Map();
        /** @type {string|null} where a range of selected mails begins */
        this.anchor = null;
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

    callPage(address, limit, cursor = null) {
        const {domain, ignored} = this.query;
        const options = {cursor, limit, ignored, address: address || null};
        return this.call("unlinked_page", [domain], options);
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
        this.generation++;
        this.cursor = null;
        this.status = "loading";
        await this.load();
        await this.openFirst();
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
                MAX_REFRESHED
            )
        );
        const leaving = new Set(this.leaving);
        try {
            const [header, ...pages] = await Promise.all([
                this.callGroups(
                    0,
                    Math.max(isGrouped ? GROUPS_PAGE : 1, this.groups.length)
                ),
                ...addresses.map((address, i) => this.callPage(address, limits[i])),
            ]);
            if (!isCurrent()) {
                return;
            }
            this.keepCursor(() => {
                this.takeHeader(header);
                this.groups = header.groups;
                this.pages = Object.fromEntries(
                    addresses.map((address, i) => [
                        address,
                        {...this.stillHere(pages[i]), status: "idle"},
                    ])
                );
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
            if (this.cursorItem === undefined) {
                this.cursor = groupKey(address);
            }
            return;
        }
        this.opened.add(address);
        await this.loadRows(address);
    }

    // ------------------------------------------------------------------ what is shown

    /** One after the other, as they stand below each other. */
    get items() {
        return this.isGrouped ? this.groupedItems : this.rowItems(ALL);
    }

    get groupedItems() {
        return this.groups.flatMap((group) => {
            const {address} = group;
            const head = {type: "group", key: groupKey(address), address, group};
            return this.opened.has(address)
                ? [head, ...this.rowItems(address, group.count)]
                : [head];
        });
    }

    rowItems(address, count = this.mails) {
        const page = this.pages[address];
        if (!page) {
            return [];
        }
        const items = page.rows.map((row) => ({
            ...{type: "mail", key: mailKey(row.id), address: row.from_address, row},
        }));
        if (page.next || page.status !== "idle") {
            items.push({
                type: "more",
                key: `+:${address}`,
                address,
                status: page.status,
                rest: Math.max(count - page.rows.length, 0),
            });
        }
        return items;
    }

    get isEmpty() {
        return this.status === "ready" && !this.items.length;
    }

    get cursorItem() {
        return this.items.find(({key}) => key === this.cursor);
    }

    get rows() {
        return Object.values(this.pages).flatMap(({rows}) => rows);
    }

    findRow(id) {
        return this.rows.find((row) => row.id === id);
    }

    // ------------------------------------------------------------------ where the reader stands

    /** Runs a change of the items; if it takes the one that the reader stands on, the next takes its place. */
    keepCursor(change) {
        const before = this.items;
        const index = before.findIndex(({key}) => key === this.cursor);
        change();
        if (index < 0) {
            return;
        }
        const left = new Set(this.items.map(({key}) => key));
        const isMail = before[index].type === "mail";
        const fits = ({key, type}) => left.has(key) && (type === "mail" || !isMail);
        const next =
            before.slice(index).find(fits) ||
            before.slice(0, index).findLast(fits) ||
            this.items.find(({type}) => type !== "more");
        this.cursor = next?.key || null;
    }

    /** @param {1|-1} step */
    moveCursor(step) {
        const {items} = this;
        const index = items.findIndex(({key}) => key === this.cursor);
        const next = items[index < 0 ? 0 : index + step];
        if (next) {
            this.cursor = next.key;
        }
        return Boolean(next);
    }

    /** @returns {Target|null} the selected mails, else what the reader stands on */
    get target() {
        if (this.selected.size) {
            const ids = [...this.selected.keys()];
            return {
                ids,
                count: ids.length,
                row: ids.length === 1 && this.findRow(ids[0]),
            };
        }
        return this.targetOf(this.cursorItem);
    }

    targetOf(item) {
        switch (item?.type) {
            case "mail":
                return {ids: [item.row.id], count: 1, row: item.row};
            case "group":
                return {
                    ...{address: item.address, count: item.group.count},
                    group: item.group,
                };
        }
        return null;
    }

    /** What is dragged by an item: the whole selection, where it belongs to that. */
    dragTarget(item) {
        const isSelected = item.type === "mail" && this.selected.has(item.row.id);
        return isSelected ? this.target : this.targetOf(item);
    }

    /** @param {Target} target */
    async resolve(target) {
        return target.ids || (await this.callIds(target.address)).ids;
    }

    callIds(address = null) {
        const {domain, ignored} = this.query;
        return this.call("unlinked_ids", [domain], {address, ignored});
    }

    // ------------------------------------------------------------------ selection

    /** @returns {"none"|"some"|"all"} */
    get selection() {
        if (!this.selected.size) {
            return "none";
        }
        return this.selected.size >= this.mails ? "all" : "some";
    }

    groupSelection({address, count}) {
        let selected = 0;
        for (const sender of this.selected.values()) {
            selected += sender === address ? 1 : 0;
        }
        if (!selected) {
            return this.selection === "all" ? "all" : "none";
        }
        return selected >= count ? "all" : "some";
    }

    select(row, isSelected = true) {
        if (isSelected) {
            this.selected.set(row.id, row.from_address);
        } else {
            this.selected.delete(row.id);
        }
    }

    toggle(row) {
        this.anchor = mailKey(row.id);
        this.select(row, !this.selected.has(row.id));
    }

    /** From where the last mail was selected up to this one. */
    selectTo(key) {
        const {items} = this;
        const end = items.findIndex((item) => item.key === key);
        let start = items.findIndex((item) => item.key === this.anchor);
        if (start < 0) {
            start = end;
            this.anchor = key;
        }
        for (const {type, row} of items.slice(
            Math.min(start, end),
            Math.max(start, end) + 1
        )) {
            if (type === "mail") {
                this.select(row);
            }
        }
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

    clearSelection() {
        this.selected.clear();
        this.anchor = null;
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

    /** They are back: an answer may show them again. */
    bringBack(ids = null) {
        if (ids) {
            ids.forEach((id) => this.leaving.delete(id));
        } else {
            this.leaving.clear();
        }
    }
}
