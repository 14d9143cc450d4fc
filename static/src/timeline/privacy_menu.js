import {Component} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {privacyNews, privacyWords} from "./timeline_words";
import {useUndoToast} from "./undo_toast";

/**
 * Makes a conversation private, or shares it again; at once, with the way back in the toast.
 *
 * @param {() => import("./timeline_store").TimelineStore} getStore
 * @returns {(threadId: number, isPrivate: boolean) => Promise<void>}
 */
export function useSetPrivate(getStore) {
    const undoToast = useUndoToast();
    return async function setPrivate(threadId, isPrivate) {
        const privacy = await getStore().setPrivate(threadId, isPrivate);
        undoToast(
            privacyNews(privacy),
            () => getStore().setPrivate(threadId, !isPrivate),
            privacy === "kept" ? "warning" : "success"
        );
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
