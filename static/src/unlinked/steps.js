/**
 * What is done with the mail that waits: linked, taught, ignored, brought back, and all of it undone. One step, one Undo.
 */

import {_t} from "@web/core/l10n/translation";
import {UNDO_DELAY} from "../timeline/undo_toast";
import {MODEL} from "./mail_items";

/**
 * @typedef {Object} Card a record that mail can be linked to
 * @property {"res.partner"|"crm.lead"} model
 * @property {number} id
 * @property {"contact"|"company"|"lead"|"opportunity"} kind
 * @property {string} name
 * @property {string} detail
 * @property {string|null} avatar
 * @property {string[]} reasons
 */

export class Steps {
    /**
     * @param {Object} services
     * @param {Object} services.orm
     * @param {Object} services.notification
     * @param {import("./mail_list").MailList} list reactive
     */
    constructor({orm, notification}, list) {
        this.orm = orm;
        this.notification = notification;
        this.list = list;
        this.isBusy = false;
        /** What a screen reader is told. */
        this.announcement = "";
        /** @type {Object|null} what should be linked from now on; the next step replaces it */
        this.question = null;
        /** @type {{batch: any, ids: number[], close: Function}|null} the last step that can be undone */
        this.last = null;
    }

    call(method, ...args) {
        return this.orm.silent.call(MODEL, method, args);
    }

    /**
     * Links mails to a record.
     *
     * @param {Card} card
     * @param {import("./mail_items").Target} target
     * @returns {Promise<boolean>} whether it was done
     */
    link(card, target) {
        return this.run(async () => {
            const ids = await this.list.resolve(target);
            const result = await this.call("link_to", ids, card.model, card.id);
            this.done(result, ids);
            this.question = result.question && {
                ...result.question,
                ...{card, ids, batch: result.batch, count: result.count},
                chosen: "these",
                shown: null,
            };
        });
    }

    /** Answers the question: from now on, and for what waits already. */
    teach() {
        const {batch, chosen, ids} = this.question;
        if (chosen === "these") {
            this.question = null;
            return true;
        }
        return this.run(async () => {
            const result = await this.call("teach", batch, chosen);
            this.question = null;
            this.done(result, ids);
        });
    }

    /** @param {"these"|"address"|"domain"} scope */
    ignore(target, scope = "these") {
        return this.run(async () => {
            const ids = await this.list.resolve(target);
            this.done(await this.call("ignore", ids, scope), ids);
        });
    }

    bringBack(target) {
        return this.run(async () => {
            const ids = await this.list.resolve(target);
            this.done(await this.call("bring_back", ids), ids);
        });
    }

    /** Takes back the last step. */
    undo() {
        if (!this.last) {
            return false;
        }
        const {batch, ids} = this.last;
        return this.run(async () => {
            const {message} = await this.call("undo", batch);
            this.forget();
            if (this.question?.batch === batch) {
                this.question = null;
            }
            this.list.bringBack();
            this.say(message);
            this.notification.add(message, {type: "info"});
            this.refresh(ids[0]);
        });
    }

    /** One step at a time; what goes wrong is said in words. */
    async run(step) {
        if (this.isBusy) {
            return false;
        }
        this.isBusy = true;
        try {
            await step();
            return true;
        } catch (error) {
            this.list.bringBack();
            this.notification.add(errorWords(error), {type: "danger"});
            this.list.lookAgain();
            return false;
        } finally {
            this.isBusy = false;
        }
    }

    done({batch, message}, ids) {
        this.question = null;
        this.list.remove(ids);
        this.forget();
        const close = this.notification.add(message, {
            type: "success",
            className: "o_easycrm_undo_toast",
            autocloseDelay: UNDO_DELAY,
            buttons: [{name: _t("Undo"), icon: "fa-undo", onClick: () => this.undo()}],
        });
        this.last = {batch, ids, close};
        this.say(message);
        this.refresh();
    }

    /** The exact counts, and what else has come or gone. */
    async refresh(id = null) {
        await this.list.load();
        if (id && this.list.findRow(id)) {
            this.list.cursor = `m:${id}`;
        }
    }

    forget() {
        this.last?.close();
        this.last = null;
    }

    say(words) {
        this.announcement = words;
    }
}

/** What the server says of an error, or that it could not be reached. */
export function errorWords(error) {
    return error?.data?.message || _t("This could not be done. Please try again.");
}
