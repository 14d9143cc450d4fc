import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useHotkey} from "@web/core/hotkeys/hotkey_hook";
import {useService} from "@web/core/utils/hooks";

/** The length of the ring that counts down. */
const RING = 2 * Math.PI * 15;

/** What becomes of what was sent, in the corner of whatever screen. */
export class ComposeToasts extends Component {
    static template = "easycrm_mail.ComposeToasts";
    static props = {toasts: Array};

    setup() {
        this.ui = useService("ui");
        this.toasts = useState(this.props.toasts);
        useHotkey("z", () => this.undoable.onUndo(), {
            global: true,
            isAvailable: () => Boolean(this.undoable),
        });
    }

    get undoable() {
        return [...this.toasts].reverse().find(({onUndo}) => onUndo);
    }

    title(toast) {
        if (toast.kind === "sending") {
            return toast.seconds === 1
                ? _t("Sending in 1 second")
                : _t("Sending in %s seconds", toast.seconds);
        }
        return toast.kind === "waiting" ? _t("Sending…") : toast.title;
    }

    ring(toast) {
        return {length: RING, offset: RING * (1 - toast.seconds / toast.total)};
    }
}
