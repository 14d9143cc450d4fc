import {Component, useState} from "@odoo/owl";

import {DateTimeInput} from "@web/core/datetime/datetime_input";
import {Dialog} from "@web/core/dialog/dialog";
import {serializeDateTime} from "@web/core/l10n/dates";
import {localization} from "@web/core/l10n/localization";
import {_t} from "@web/core/l10n/translation";

/** At which time an email leaves. */
export class LaterDialog extends Component {
    static template = "easycrm_mail.LaterDialog";
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
