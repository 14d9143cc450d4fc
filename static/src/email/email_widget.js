import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";

import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {EmailReader} from "../timeline/email_reader";

/** `<widget name="easycrm_email"/>`: the email of a form's `email_id`, in the timeline's own reader. */
export class EmailWidget extends Component {
    static template = "easycrm_mail.EmailWidget";
    static components = {EmailReader};
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.state = useState({email: null});
        onWillStart(() => this.load(this.props.record));
        onWillUpdateProps((next) => this.load(next.record));
    }

    async load(record) {
        const id = record.data.email_id?.id;
        if (id && id !== this.state.email?.id) {
            this.state.email = await this.orm.call("easycrm.email", "easycrm_values", [
                [id],
            ]);
        }
    }
}

export const emailWidget = {
    component: EmailWidget,
    fieldDependencies: [
        {name: "email_id", type: "many2one", relation: "easycrm.email"},
    ],
};

registry.category("view_widgets").add("easycrm_email", emailWidget);
