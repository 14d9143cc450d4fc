import {Component} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {useService} from "@web/core/utils/hooks";
import {_t} from "@web/core/l10n/translation";
import {UNDO_DELAY} from "./timeline_model";
import {privacyNews, privacyWords} from "./timeline_words";

/**
 * Makes a conversation private, or shares it again; at once, with the way back in the toast.
 *
 * @param {() => import("./timeline_store").TimelineStore} getStore
 * @returns {(threadId: number, isPrivate: boolean) => Promise<void>}
 */
export function useSetPrivate(getStore) {
    const notification = useService("notification");
    return async function setPrivate(threadId, isPrivate) {
        const privacy = await getStore().setPrivate(threadId, isPrivate);
        const close = notification.add(privacyNews(privacy), {
            type: privacy === "kept" ? "warning" : "success",
            autocloseDelay: UNDO_DELAY,
            buttons: [
                {
                    name: _t("Undo"),
                    onClick: async () => {
                        close();
                        await getStore().setPrivate(threadId, !isPrivate);
                    },
                },
            ],
        });
    };
}

/** Whether colleagues see a conversation of the reader's own; opened, it is changed there. */
export class PrivacyMenu extends Component {
    static template = "easycrm_mail.PrivacyMenu";
    static components = {Dropdown, DropdownItem};
    static props = {conversation: Object, store: Object};

    setup() {
        this.setPrivate = useSetPrivate(() => this.props.store);
    }

    get words() {
        return privacyWords(this.props.conversation);
    }
}
