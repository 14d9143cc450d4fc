import {Component, useState} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {useService} from "@web/core/utils/hooks";
import {reloadUnlessDirty} from "../sync/reload_record";
import {ONLY_HERE, useOnlyHere} from "./only_here";

/** What can be done with a conversation on a lead: to let it stand there only. */
export class ConversationMenu extends Component {
    static template = "easycrm_mail.ConversationMenu";
    static components = {Dropdown, DropdownItem};
    static props = {conversation: Object, store: Object, record: Object};

    setup() {
        this.orm = useService("orm");
        this.onlyHere = useOnlyHere(() => this.reload());
        /** @type {{status: "loading"|"ready"|"failed", reason: Object|undefined}} */
        this.state = useState({status: "loading", reason: undefined});
    }

    get threadId() {
        return this.props.conversation.thread_id;
    }

    get onlyWords() {
        return ONLY_HERE[this.state.reason.label] || ONLY_HERE.opportunity;
    }

    /** Why the conversation stands here, and what may be done about it: asked for when it is looked at. */
    async load() {
        const {conversation, record} = this.props;
        const {resModel: model, resId} = record;
        this.state.status = "loading";
        try {
            const reasons = await this.orm.silent.call(
                "easycrm.email",
                "easycrm_why",
                [[conversation.emails[0].id]],
                {model, res_id: resId}
            );
            this.state.reason = reasons.find(
                (reason) => reason.record.model === model && reason.record.id === resId
            );
            this.state.status = "ready";
        } catch {
            this.state.status = "failed";
        }
    }

    async reload() {
        await Promise.all([
            this.props.store.load(),
            reloadUnlessDirty(this.props.record),
        ]);
    }
}
