import {Component, useRef, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** The server counts no further than one above this. */
const COUNT_LIMIT = 1000;

/** `<widget name="easycrm_stat_button"/>` in the button box: how many emails there are, and the way to them. */
export class StatButton extends Component {
    static template = "easycrm_mail.StatButton";
    static props = {...standardWidgetProps};

    setup() {
        this.root = useRef("root");
        this.record = useState(this.props.record);
    }

    get count() {
        const {easycrm_email_count: count} = this.props.record.data;
        return count > COUNT_LIMIT
            ? `${formatInteger(COUNT_LIMIT)}+`
            : formatInteger(count || 0);
    }

    get title() {
        return _t("Show the emails of this record");
    }

    /** Shows the notebook's page as a click on its tab would. */
    showTimeline() {
        const tab = document.querySelector(
            ".o_action_manager .o_form_view .o_notebook_headers a[name='easycrm_timeline']"
        );
        tab?.click();
        tab?.focus({preventScroll: true});
        tab?.scrollIntoView({block: "nearest"});
    }
}

export const statButton = {
    component: StatButton,
    fieldDependencies: [{name: "easycrm_email_count", type: "integer", readonly: true}],
};

registry.category("view_widgets").add("easycrm_stat_button", statButton);
