import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {UNDO_DELAY} from "../timeline/undo_toast";
import {MODEL} from "./mail_items";

/** Says in a list of mails that some were ignored, with the way back in the toast. */
function showIgnored(env, {params}) {
    const {action, notification, orm} = env.services;
    const close = notification.add(params.message, {
        type: "success",
        autocloseDelay: UNDO_DELAY,
        buttons: [
            {
                name: _t("Undo"),
                icon: "fa-undo",
                onClick: async () => {
                    close();
                    const {message} = await orm.call(MODEL, "undo", [params.batch]);
                    notification.add(message, {type: "info"});
                    await action.doAction("soft_reload");
                },
            },
        ],
    });
    return {type: "ir.actions.client", tag: "soft_reload"};
}

registry.category("actions").add("easycrm_mail.ignored", showIgnored);
