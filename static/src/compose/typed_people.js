/** Whom somebody types into the fields of a window, until they are its recipients. */

import {isEmail} from "@web/core/utils/strings";

const MODEL = "easycrm.email.compose";

/** What ends an address that is typed or pasted. */
export const SEPARATORS = /[,;\n\t]/;

export class TypedPeople {
    /** @param {import("./compose_model").ComposeModel} model the window that they are typed into */
    constructor(model) {
        this.model = model;
        /** Given by the fields: each takes what stands in it. */
        this.fields = new Set();
        /** Texts that the server is reading. */
        this.pending = new Set();
    }

    get isReading() {
        return this.pending.size > 0;
    }

    /** Who may be meant by what was typed so far. */
    suggest(term) {
        return this.model.orm.silent.call(MODEL, "easycrm_suggest", [term]);
    }

    /** Text becomes people: `settle` waits for them. */
    take(role, text) {
        const taking = this.read(text).then((people) => {
            this.pending.delete(taking);
            this.model.addPeople(role, people);
        });
        this.pending.add(taking);
    }

    async read(text) {
        try {
            const {silent} = this.model.orm;
            return await silent.call(MODEL, "easycrm_read_people", [text]);
        } catch {
            // nothing that was typed is lost: it stands there as it is
            const parts = text.split(SEPARATORS).map((part) => part.trim());
            const addresses = parts.filter(Boolean);
            const kept = addresses.every(isEmail) ? addresses : [text.trim()];
            return kept.map((address) => ({name: "", address, partner_id: false}));
        }
    }

    async settle() {
        while (this.isReading) {
            await Promise.all(this.pending);
        }
    }

    /** Everybody who was typed becomes a recipient, also where the field was not left. */
    async takeAll() {
        for (const takeField of this.fields) {
            takeField();
        }
        await this.settle();
    }
}
