/** Where the mail may belong: what the server suggests for it, and what is found by words. */

import {MODEL} from "./mail_items";

/** Mails that suggestions are asked for; more of them tell nothing new. */
const ASKED = 50;
const FOUND = 10;

export class Suggestions {
    /** @param {Object} orm the service itself */
    constructor(orm, list) {
        this.orm = orm;
        this.list = list;
        /** @type {"none"|"loading"|"ready"|"failed"} */
        this.status = "none";
        /** @type {import("./steps").Card[]} */
        this.suggested = [];
        /** @type {import("./steps").Card[]} */
        this.recent = [];
        /** What a new record would be filled with. */
        this.preview = null;
        /** Counts the questions: an answer to an earlier one is dropped. */
        this.generation = 0;
        this.words = "";
        /** @type {"idle"|"loading"|"failed"} */
        this.finding = "idle";
        /** @type {import("./steps").Card[]} */
        this.found = [];
        /** The found record that Enter takes. */
        this.active = 0;
    }

    call(method, args, options = {}) {
        return this.orm.silent.call(MODEL, method, args, options);
    }

    /** @param {import("./mail_items").Target|null} target */
    async load(target) {
        const generation = ++this.generation;
        if (!target) {
            this.status = "none";
            return;
        }
        this.status = this.status === "ready" ? "ready" : "loading";
        try {
            const ids = (await this.list.resolve(target)).slice(0, ASKED);
            this.loadPreview(ids, generation);
            const {suggested, recent} = await this.call("suggest_records", [ids]);
            if (this.generation === generation) {
                Object.assign(this, {suggested, recent, status: "ready"});
            }
        } catch {
            if (this.generation === generation) {
                this.status = "failed";
            }
        }
    }

    /** Without it, a new record's form is filled all the same. */
    async loadPreview(ids, generation) {
        let preview = null;
        try {
            preview = await this.call("new_record_defaults", [ids, "res.partner"]);
        } catch {
            preview = null;
        }
        if (this.generation === generation) {
            this.preview = preview;
        }
    }

    setWords(words) {
        this.words = words;
        this.active = 0;
        this.finding = words.trim() ? "loading" : "idle";
        if (!words.trim()) {
            this.found = [];
        }
    }

    async find() {
        const {words} = this;
        if (!words.trim()) {
            return;
        }
        try {
            const found = await this.call("find_records", [words.trim()], {
                limit: FOUND,
            });
            if (this.words === words) {
                this.found = found;
                this.active = 0;
                this.finding = "idle";
            }
        } catch {
            if (this.words === words) {
                this.finding = "failed";
            }
        }
    }

    moveActive(step) {
        const last = this.found.length - 1;
        this.active = Math.min(Math.max(this.active + step, 0), Math.max(last, 0));
    }

    get activeCard() {
        return this.finding === "idle" ? this.found[this.active] : undefined;
    }
}
