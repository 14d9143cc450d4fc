/**
 * The mail that waits, as the browser knows it: groups, their mails, where the reader stands and what is
 * selected. The components only show it.
 */

import {markRaw} from "@odoo/owl";

import {MODEL} from "./mail_items";
import {MailPages} from "./mail_pages";

export class MailList extends MailPages {
    constructor(orm) {
        super(orm);
        /**
         * Keys of the items that are drawn. Nobody watches it: who looks on would draw all anew.
         *
         * @type {{keys: string[], isChecking: boolean}}
         */
        this.sight = markRaw({keys: [], isChecking: false});
    }

    async load() {
        await super.load();
        this.check();
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

    // ------------------------------------------------------------------ what is in sight is so

    /** @param {string[]} keys of the items that are drawn now */
    lookAt(keys) {
        this.sight.keys = keys;
        this.check();
    }

    /**
     * Only the first groups and mails are asked for again when something has changed, and those further down once
     * they are in sight: what that costs does not grow with how far somebody has come.
     */
    async check() {
        const {sight} = this;
        const keys = new Set(sight.keys.filter((key) => this.unsure.has(key)));
        if (sight.isChecking || !keys.size) {
            return;
        }
        sight.isChecking = true;
        const {generation} = this;
        const items = this.items.filter(({key}) => keys.has(key));
        keys.forEach((key) => this.unsure.delete(key));
        const groups = items.filter(({type}) => type === "group");
        const mails = items.filter(({type}) => type === "mail");
        const [now, waiting] = await Promise.all([
            this.findGroups(groups.map(({group}) => group.key)),
            this.findWaiting(mails.map(({row}) => row.id)),
        ]);
        sight.isChecking = false;
        if (this.generation !== generation) {
            return;
        }
        const left = new Set(waiting);
        const gone = mails.map(({row}) => row.id).filter((id) => !left.has(id));
        this.keepCursor(() => {
            this.takeOut(gone);
            if (now) {
                const asked = new Set(groups.map(({group}) => group.key));
                this.replaceGroups((group) =>
                    asked.has(group.key) ? now.get(group.key) : group
                );
            }
        });
        this.check();
    }

    /** @returns {Promise<Map<string, Object>|null>} those of these groups that are there, as they are now */
    async findGroups(keys) {
        if (!keys.length) {
            return null;
        }
        try {
            const {groups} = await this.callGroups(0, keys.length, {keys});
            return new Map(groups.map((group) => [group.key, group]));
        } catch {
            return null;
        }
    }

    /** @returns {Promise<number[]>} those of these mails that still wait; all, if that cannot be told */
    async findWaiting(ids) {
        if (!ids.length) {
            return [];
        }
        const found = [
            ["id", "in", ids],
            ["is_unlinked", "=", true],
            ["ignored", "=", this.query.ignored],
        ];
        return this.orm.silent.search(MODEL, found).catch(() => ids);
    }

    /** @param {(group: Object) => Object|undefined} replace undefined: it is gone */
    replaceGroups(replace) {
        this.groups = markRaw(this.groups.map(replace).filter(Boolean));
    }

    /** @returns {Map<string, number>} how many mails of each group were taken out of sight */
    takeOut(ids) {
        const gone = new Set(ids);
        const counts = new Map();
        for (const [key, page] of Object.entries(this.pages)) {
            const left = page.rows.filter(({id}) => !gone.has(id));
            if (left.length < page.rows.length) {
                counts.set(key, page.rows.length - left.length);
                page.rows = markRaw(left);
            }
        }
        return counts;
    }

    // ------------------------------------------------------------------ mail that leaves

    /** Takes mails out of sight at once; the exact counts come with the next answer. */
    remove(ids) {
        ids.forEach((id) => {
            this.leaving.add(id);
            this.selected.delete(id);
        });
        this.keepCursor(() => {
            const counts = this.takeOut(ids);
            this.replaceGroups((group) => {
                const count = group.count - (counts.get(group.key) || 0);
                return count > 0 ? {...group, count} : undefined;
            });
            this.mails = Math.max(0, this.mails - new Set(ids).size);
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

    /** They are back: an answer may show them again. */
    bringBack(ids = null) {
        if (ids) {
            ids.forEach((id) => this.leaving.delete(id));
        } else {
            this.leaving.clear();
        }
    }
}
