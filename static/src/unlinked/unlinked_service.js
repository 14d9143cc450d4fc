import {reactive} from "@odoo/owl";

import {registry} from "@web/core/registry";
import {MODEL} from "./mail_items";

const NOTIFICATION = "easycrm_mail.unlinked";

/**
 * How many emails wait for their home. Asked once somebody looks, then whenever the server says that it has changed:
 * nothing polls.
 */
export const unlinkedService = {
    dependencies: ["bus_service", "orm"],

    start(env, {bus_service: bus, orm}) {
        const state = reactive({count: 0, changes: 0});
        let isWatched = false;
        let asked = 0;

        async function load() {
            const number = ++asked;
            // What goes wrong here is made good by the next piece of news.
            const count = await orm.silent
                .call(MODEL, "unlinked_count", [])
                .catch(() => state.count);
            if (number === asked) {
                state.count = count;
            }
        }

        /** Something was done here, by a screen that shows no list: who shows one asks again. */
        function tell() {
            if (isWatched) {
                state.changes++;
                load();
            }
        }

        /** From now on the count is kept. */
        function watch() {
            if (!isWatched) {
                isWatched = true;
                bus.subscribe(NOTIFICATION, tell);
                bus.start();
                load();
            }
        }

        return {load, state, tell, watch};
    },
};

registry.category("services").add("easycrm_mail.unlinked", unlinkedService);
