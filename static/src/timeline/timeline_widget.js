import {Component} from "@odoo/owl";

import {registry} from "@web/core/registry";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {EmptyState} from "./empty_state";
import {timelineStore} from "./kept_stores";
import {Timeline} from "./timeline";

/** `<widget name="easycrm_timeline"/>`: the timeline of the form's record, brought up to date whenever it is saved. */
export class TimelineWidget extends Component {
    static template = "easycrm_mail.TimelineWidget";
    static components = {EmptyState, Timeline};
    static props = {...standardWidgetProps};

    setup() {
        let seen;
        useRecordObserver((record) => {
            const {easycrm_email_count: count, write_date: saved} = record.data;
            const state = `${record.resId}|${count}|${saved}`;
            if (record.resId && state !== seen) {
                this.storeOf(record).refresh();
            }
            seen = state;
        });
    }

    get store() {
        return this.storeOf(this.props.record);
    }

    storeOf(record) {
        const {model, resModel, resId} = record;
        return resId && timelineStore(model, this.env.services.orm, resModel, resId);
    }
}

export const timelineWidget = {
    component: TimelineWidget,
    fieldDependencies: [
        {name: "easycrm_email_count", type: "integer", readonly: true},
        {name: "write_date", type: "datetime", readonly: true},
    ],
};

registry.category("view_widgets").add("easycrm_timeline", timelineWidget);
