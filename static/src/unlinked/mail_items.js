/**
 * What stands in the list one below the other, where the reader stands in it, and what is selected. Loading it is
 * {@link import("./mail_pages").MailPages}'s.
 */

import {markRaw} from "@odoo/owl";

export const MODEL = "easycrm.email.copy";

/** The page of all mail, when it is not grouped. */
export const ALL = "";

/** Mails that one step is about at most. */
export const MAX_SELECTED = 1000;

/** Pixels; the list places its items by them. */
export const HEIGHTS = {group: 54, mail: 54, more: 40};

export const BY_SENDER = "from_address";
export const BY_DOMAIN = "from_domain";

export const groupKey = (group) => `g:${group}`;
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
 * @property {string} [group] key of the group that it stands in
 *
 * @typedef {Object} Group
 * @property {string} key
 * @property {string} label
 * @property {number} count
 * @property {string} latest UTC
 * @property {string} address of its newest mail, as are `name` and `subject`
 * @property {string} name
 * @property {string} subject
 *
 * @typedef {Object} Target what an action is about: mails by id, or all of a group
 * @property {number[]} [ids]
 * @property {string} [key] of the group
 * @property {string} [address] the one sender of all of it
 * @property {string} [domain] the one domain of all of it
 * @property {number} count
 * @property {Row} [row] the one mail that it is
 * @property {Group} [group]
 */

export class MailItems {
    constructor() {
        /** @type {string} what it is grouped by, as the server says it; empty: the newest first */
        this.by = BY_SENDER;
        /** @type {Group[]} there may be thousands: they are not watched one by one, but replaced together */
        this.groups = markRaw([]);
        /** How many mails wait, exactly. */
        this.mails = 0;
        /** @type {Object<string, {rows: Row[], next: any, status: "loading"|"idle"|"failed"}>} by group; rows as groups */
        this.pages = {};
        /** @type {Set<string>} groups whose mails are shown */
        this.opened = new Set();
        /** @type {string|null} key of the item that the reader stands on */
        this.cursor = null;
        /** @type {Map<number, string|null>} the selected mails, and their group where it is known */
        this.selected = new Map();
        /** @type {string|null} where a range of selected mails begins */
        this.anchor = null;
        /** What the items were made of, and they. */
        this.made = markRaw({of: [], items: []});
    }

    get isGrouped() {
        return Boolean(this.by);
    }

    get isBySender() {
        return this.by === BY_SENDER;
    }

    /** One after the other, as they stand below each other: made once, and then anew when what they are made of is. */
    get items() {
        const {by, groups, mails, made, pages} = this;
        const shown = this.isGrouped ? [...this.opened] : [ALL];
        const of = [by, groups, mails];
        for (const key of shown) {
            of.push(key, pages[key]?.rows, pages[key]?.next, pages[key]?.status);
        }
        if (of.length !== made.of.length || of.some((part, i) => part !== made.of[i])) {
            made.of = of;
            made.items = this.isGrouped ? this.groupedItems : this.rowItems(ALL);
        }
        return made.items;
    }

    get groupedItems() {
        return this.groups.flatMap((group) => {
            const head = {type: "group", key: groupKey(group.key), group};
            return this.opened.has(group.key)
                ? [head, ...this.rowItems(group.key, group)]
                : [head];
        });
    }

    rowItems(key, group) {
        const page = this.pages[key];
        if (!page) {
            return [];
        }
        const items = page.rows.map((row) => ({
            ...{type: "mail", key: mailKey(row.id), group, row},
        }));
        if (page.next || page.status !== "idle") {
            items.push({
                type: "more",
                key: `+:${key}`,
                page: key,
                group,
                status: page.status,
                rest: Math.max(
                    (group ? group.count : this.mails) - page.rows.length,
                    0
                ),
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
                    key: item.group.key,
                    count: Math.min(item.group.count, MAX_SELECTED),
                    group: item.group,
                    address: this.isBySender ? item.group.key : "",
                    domain: this.by === BY_DOMAIN ? item.group.key : "",
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

    /** @returns {Map<string|null, number>} how many mails of each group are selected */
    get selectedByGroup() {
        const counts = new Map();
        for (const group of this.selected.values()) {
            counts.set(group, (counts.get(group) || 0) + 1);
        }
        return counts;
    }

    groupSelection({key, count}, counts = this.selectedByGroup) {
        const selected = counts.get(key) || 0;
        if (!selected) {
            return this.selection === "all" ? "all" : "none";
        }
        return selected >= count ? "all" : "some";
    }

    select(row, isSelected = true) {
        if (isSelected) {
            this.selected.set(row.id, row.group);
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
