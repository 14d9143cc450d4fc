import {Component, onWillStart, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {ConnectInvite} from "../account/connect_invite";
import {MODEL} from "./mail_items";

/** No mail waits, or none that fits: why, and what to do about it. */
export class Nothing extends Component {
    static template = "easycrm_mail.UnlinkedNothing";
    static components = {ConnectInvite};
    static props = {
        isFiltered: Boolean,
        ignored: Boolean,
        onClear: Function,
        onWhere: Function,
    };

    setup() {
        this.orm = useService("orm");
        /** @type {{kind: ""|"connect"|"first_sync"|"nothing", left: Object|false}} */
        this.state = useState({kind: "", left: false});
        onWillStart(() => {
            this.load();
        });
    }

    async load() {
        const answer = await this.orm.silent
            .call(MODEL, "unlinked_empty", [])
            .catch(() => ({kind: "nothing", left: false}));
        Object.assign(this.state, answer);
    }

    get connectWords() {
        return _t(
            "What you write and receive finds its contacts, leads and opportunities by itself. The rest waits here. You see what would come in before anything is stored."
        );
    }

    get kind() {
        if (this.props.isFiltered) {
            return "filtered";
        }
        return this.props.ignored ? "ignored" : this.state.kind;
    }
}
