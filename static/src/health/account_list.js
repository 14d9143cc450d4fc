import {Component, onWillStart, onWillUnmount, useState} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useBus, useService} from "@web/core/utils/hooks";
import {ListController} from "@web/views/list/list_controller";
import {ListRenderer} from "@web/views/list/list_renderer";
import {listView} from "@web/views/list/list_view";
import {isLate, lagWords} from "./health_words";
import {useMinuteClock} from "./minute_clock";

/** Milliseconds between two looks at how the mailboxes are doing. */
const LOOK = 60_000;

/** The chips in their order: the name of the search view's filter, and of what it filters. */
const HEALTHS = [
    "ok",
    "incomplete",
    "error",
    "reading",
    "waiting",
    "paused",
    "stopped",
    "off",
    "draft",
];

/** Above the list of mailboxes: how many are doing how. Each chip is the filter of that name. */
export class HealthChips extends Component {
    static template = "easycrm_mail.HealthChips";
    static props = {model: Object};

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.clock = useMinuteClock();
        this.state = useState({
            total: 0,
            counts: {},
            minutes: 0,
            oldest: false,
            late_minutes: 0,
        });
        onWillStart(() => this.load());
        useBus(this.env.searchModel, "update", () => this.load());
        const timer = browser.setInterval(() => this.look(), LOOK);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    async load() {
        const {resModel, globalDomain} = this.env.searchModel;
        Object.assign(
            this.state,
            await this.orm.silent.call(resModel, "easycrm_health_counts", [
                globalDomain,
            ])
        );
    }

    /** What an administrator watches changes without a word: of others' mailboxes no news comes over the bus. */
    async look() {
        const {root} = this.props.model;
        if (
            document.visibilityState === "visible" &&
            !root.editedRecord &&
            !root.selection?.length
        ) {
            await Promise.all([this.load(), root.load()]);
        }
    }

    getFilter(health) {
        return Object.values(this.env.searchModel.searchItems).find(
            ({type, name}) => type === "filter" && name === health
        );
    }

    isOn(health) {
        const filter = this.getFilter(health);
        return this.env.searchModel.query.some(
            ({searchItemId}) => searchItemId === filter?.id
        );
    }

    get chips() {
        const {selection} = this.props.model.config.fields.sync_health;
        const words = Object.fromEntries(selection);
        return HEALTHS.filter(
            (health) =>
                this.getFilter(health) &&
                (this.state.counts[health] || this.isOn(health))
        ).map((health) => ({
            health,
            words: words[health],
            count: this.state.counts[health] || 0,
            isOn: this.isOn(health),
        }));
    }

    get hasNone() {
        return !HEALTHS.some((health) => this.isOn(health));
    }

    /** One at a time; the filters' own menu combines them. */
    show(health) {
        const {searchModel} = this.env;
        const others = HEALTHS.filter((other) => other !== health && this.isOn(other));
        searchModel.blockNotification = true;
        for (const other of others) {
            searchModel.toggleSearchItem(this.getFilter(other).id);
        }
        searchModel.blockNotification = false;
        if (health) {
            searchModel.toggleSearchItem(this.getFilter(health).id);
        } else {
            searchModel._notify();
        }
    }

    openDaily() {
        return this.action.doAction("easycrm_mail.easycrm_email_daily_action");
    }

    get every() {
        const {minutes} = this.state;
        if (!minutes) {
            return _t("Reading mailboxes is switched off in the settings.");
        }
        return minutes === 1
            ? _t("Sync runs every minute.")
            : _t("Sync runs every %s minutes.", minutes);
    }

    get lag() {
        return (
            this.state.oldest &&
            Math.max(
                0,
                this.clock.now - deserializeDateTime(this.state.oldest).toMillis()
            )
        );
    }

    get lagWords() {
        return lagWords(this.lag);
    }

    get isLate() {
        return isLate(this.lag, this.state.late_minutes);
    }
}

export class AccountListController extends ListController {
    static template = "easycrm_mail.AccountList";
    static components = {...ListController.components, HealthChips};
}

/** On a small screen whose mailbox it is goes without saying: its status comes first. */
export class AccountListRenderer extends ListRenderer {
    getActiveColumns() {
        const columns = super.getActiveColumns();
        return this.env.isSmall
            ? columns.filter(({name}) => name !== "user_id")
            : columns;
    }
}

registry.category("views").add("easycrm_account_list", {
    ...listView,
    Controller: AccountListController,
    Renderer: AccountListRenderer,
});
