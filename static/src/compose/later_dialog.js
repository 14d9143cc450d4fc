import {Component, useState, xml} from "@odoo/owl";

import {DateTimeInput} from "@web/core/datetime/datetime_input";
import {Dialog} from "@web/core/dialog/dialog";
import {serializeDateTime} from "@web/core/l10n/dates";
import {localization} from "@web/core/l10n/localization";
import {_t} from "@web/core/l10n/translation";

/** At which time an email leaves. */
export class LaterDialog extends Component {
    static template = xml`
        <Dialog title="title" size="'sm'">
            <DateTimeInput type="'datetime'" value="state.at" minDate="now" rounding="5"
                format="format"
                onChange="(at) => this.state.at = at" onApply="(at) => this.state.at = at"/>
            <p t-if="isPast" class="text-danger small mt-2 mb-0" role="alert">This time has passed.</p>
            <t t-set-slot="footer">
                <button type="button" class="o_easycrm_later_ok btn btn-primary"
                    t-att-disabled="!state.at or isPast" t-on-click="choose">Send then</button>
                <button type="button" class="btn btn-secondary" t-on-click="() => props.close()">Back</button>
            </t>
        </Dialog>`;
    static components = {DateTimeInput, Dialog};
    static props = {onChosen: Function, close: Function};

    setup() {
        this.title = _t("When should it be sent?");
        // to the minute
        this.format = localization.dateTimeFormat.replace(/[:.]ss/, "");
        this.now = luxon.DateTime.local();
        this.state = useState({
            at: this.now.plus({hours: 1}).set({minute: 0, second: 0, millisecond: 0}),
        });
    }

    get isPast() {
        return Boolean(this.state.at) && this.state.at < luxon.DateTime.local();
    }

    choose() {
        this.props.onChosen(serializeDateTime(this.state.at));
        this.props.close();
    }
}
