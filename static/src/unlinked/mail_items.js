/**
 * What stands in the list one below the other, where the reader stands in it, and what is selected. Loading it is
 * {@link import("./mail_list").MailList}'s.
 */

/** The page of all mail, when it is not grouped. */
export const ALL = "";

/** Mails that one step is about at most. */
export const MAX_SELECTED = 1000;

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

export class MailItems {
    constructor() {
        this.isGrouped = true;
        /** @type {Group[]} */
        this.groups = [];
        /** How many mails wait, exactly. */
        this.mails = 0;
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
    }

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
                    address: item.address,
                    count: Math.min(item.group.count, MAX_SELECTED),
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

    clearSelection() {
        this.selected.clear();
        this.anchor = null;
    }
}
