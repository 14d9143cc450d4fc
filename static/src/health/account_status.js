import {Component, xml} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {usePopover} from "@web/core/popover/popover_hook";
import {useService} from "@web/core/utils/hooks";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {AccountProgress} from "../sync/account_progress";
import {LOOKS} from "./health_words";

const {DateTime} = luxon;

/** What a mailbox is doing that is not read, and so not compared. */
const UNREAD = ["draft", "paused", "stopped", "off"];

/** The last days of a mailbox, a cell each: how many of its emails are here. */
export class WeekDays extends Component {
    static template = "easycrm_mail.WeekDays";
    static props = {days: Array};

    get days() {
        return this.props.days.map(({day, held, stored}) => ({
            day,
            name: DateTime.fromISO(day).toLocaleString({weekday: "short"}),
            words: held === stored ? String(held) : `${stored}/${held}`,
            isShort: stored < held,
            title: _t("%(day)s: %(stored)s of %(held)s", {
                day: DateTime.fromISO(day).toLocaleString(DateTime.DATE_MED),
                stored,
                held,
            }),
        }));
    }
}

/** `<field name="week_days" widget="easycrm_account_days"/>` on a mailbox's form. */
export class WeekDaysField extends Component {
    static template = xml`<WeekDays days="props.record.data[props.name] || []"/>`;
    static components = {WeekDays};
    static props = {...standardFieldProps};
}

/** What a click on a mailbox's status opens: the last days, a cell each, and the button that compares them now. */
export class AccountWeek extends Component {
    static template = "easycrm_mail.AccountWeek";
    static components = {WeekDays};
    static props = {record: Object, close: Function};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    get data() {
        return this.props.record.data;
    }

    get title() {
        if (!this.data.week_line && this.data.sync_health === "stopped") {
            return _t("The last 7 days");
        }
        return this.data.week_line || _t("The last 7 days have not been compared yet");
    }

    get words() {
        const {gap_count: gaps, sync_health: health} = this.data;
        if (health === "stopped") {
            return _t("Not compared any more: its owner has left.");
        }
        if (gaps === 1) {
            return _t(
                "1 email is in the mailbox but not here yet. It is being fetched; the status turns green when it is here."
            );
        }
        if (gaps) {
            return _t(
                "%s emails are in the mailbox but not here yet. They are being fetched; the status turns green when all are here.",
                gaps
            );
        }
        if (UNREAD.includes(health)) {
            return _t("It is not read now, and not compared.");
        }
        return _t(
            "Every night the emails in the mailbox are compared with those here. What is missing is fetched."
        );
    }

    get isComparable() {
        return ![...UNREAD, "reading"].includes(this.data.sync_health);
    }

    async compareNow() {
        const {resModel, resId} = this.props.record;
        const action = await this.orm.call(resModel, "action_compare_now", [[resId]]);
        this.props.close();
        await this.action.doAction(action);
    }
}

/** `<field name="sync_health" widget="easycrm_account_status"/>`: how a mailbox is doing, in words, with an icon. */
export class AccountStatus extends Component {
    static template = "easycrm_mail.AccountStatus";
    static components = {AccountProgress};
    static props = {...standardFieldProps};

    setup() {
        this.popover = usePopover(AccountWeek, {
            popoverClass: "o_easycrm_week_popover",
            position: "bottom-start",
            arrow: true,
        });
    }

    get health() {
        return this.props.record.data[this.props.name];
    }

    get look() {
        return LOOKS[this.health] || LOOKS.draft;
    }

    get words() {
        const {selection} = this.props.record.fields[this.props.name];
        return selection.find(([value]) => value === this.health)?.[1] || "";
    }

    onClick(ev) {
        if (this.popover.isOpen) {
            this.popover.close();
        } else {
            this.popover.open(ev.currentTarget, {record: this.props.record});
        }
    }
}

export const accountStatus = {
    component: AccountStatus,
    supportedTypes: ["selection"],
    listViewWidth: 140,
    fieldDependencies: [
        {name: "gap_count", type: "integer", readonly: true},
        {name: "sync_done", type: "integer", readonly: true},
        {name: "sync_total", type: "integer", readonly: true},
        {name: "week_days", type: "json", readonly: true},
        {name: "week_line", type: "char", readonly: true},
    ],
};

registry.category("fields").add("easycrm_account_status", accountStatus);

registry
    .category("fields")
    .add("easycrm_account_days", {component: WeekDaysField, supportedTypes: ["json"]});
