import {Component, xml} from "@odoo/owl";

import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useAccountEvents} from "./account_hooks";
import {reloadUnlessDirty} from "./reload_record";

/** Milliseconds between two looks at the mailbox. */
const RELOAD_DELAY = 1000;

/** `<widget name="easycrm_account_watch"/>`: keeps the form of a mailbox up to date while it is read. */
export class AccountWatch extends Component {
    static template = xml``;
    static props = {...standardWidgetProps};

    setup() {
        useAccountEvents(
            RELOAD_DELAY,
            ({account_id: accountId}) => accountId === this.props.record.resId,
            () => reloadUnlessDirty(this.props.record)
        );
    }
}

registry
    .category("view_widgets")
    .add("easycrm_account_watch", {component: AccountWatch});
