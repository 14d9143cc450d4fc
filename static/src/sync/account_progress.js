import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useAccountEvents} from "./account_hooks";
import {timeLeftWords, withTimeLeft} from "./time_left";

/** Milliseconds between two looks at a list when the reading of a mailbox ends. */
const RELOAD_DELAY = 1000;

/**
 * `<widget name="easycrm_account_progress"/>` on a mailbox's form or in their list: how far its first reading is and how
 * long it still takes, as it happens.
 */
export class AccountProgress extends Component {
    static template = "easycrm_mail.AccountProgress";
    static props = {...standardWidgetProps};

    setup() {
        this.account = useService("easycrm_mail.account");
        this.reading = useState(this.account.reading);
        useAccountEvents(
            RELOAD_DELAY,
            ({account_id: accountId, event}) =>
                event !== "progress" && accountId === this.props.record.resId,
            () => this.isListed && this.props.record.model.root.load()
        );
    }

    /** A form is kept up to date by its `easycrm_account_watch`. */
    get isListed() {
        return this.props.record.model.root !== this.props.record;
    }

    get progress() {
        const {resId, data} = this.props.record;
        return this.reading[resId] || {done: data.sync_done, total: data.sync_total};
    }

    get isShown() {
        return (
            this.props.record.data.sync_health === "reading" &&
            Boolean(this.progress.total)
        );
    }

    get percent() {
        const {done, total} = this.progress;
        return Math.min(100, Math.round((100 * done) / total));
    }

    get words() {
        const {done, total} = this.progress;
        const words = _t("%(done)s of %(total)s emails read", {
            done: formatInteger(done),
            total: formatInteger(total),
        });
        const left = this.account.getTimeLeft([this.props.record.resId]);
        return withTimeLeft(words, timeLeftWords(left));
    }
}

export const accountProgress = {
    component: AccountProgress,
    listViewWidth: 330,
    fieldDependencies: [
        {name: "sync_done", type: "integer", readonly: true},
        {name: "sync_total", type: "integer", readonly: true},
        {name: "sync_health", type: "selection", readonly: true},
    ],
};

registry.category("view_widgets").add("easycrm_account_progress", accountProgress);
