/** The cells of the list of mailboxes: each says in words what the administrator needs to know. */

import {Component, xml} from "@odoo/owl";

import {
    Many2OneAvatarUserField,
    many2OneAvatarUserField,
} from "@mail/views/web/fields/many2one_avatar_user_field/many2one_avatar_user_field";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {ViewButton} from "@web/views/view_button/view_button";
import {barsOf, dayWords, isLate, lagWords, momentWords} from "./health_words";
import {useMinuteClock} from "./minute_clock";

const {DateTime} = luxon;

class Cell extends Component {
    static template = xml`<t t-esc="value"/>`;
    static props = {...standardFieldProps};

    get data() {
        return this.props.record.data;
    }

    get value() {
        return this.data[this.props.name];
    }
}

/** Whose mailbox, and at which service. */
export class MailboxCell extends Cell {
    static template = "easycrm_mail.MailboxCell";

    get icon() {
        return (
            {gmail: "fa-google", outlook: "fa-windows"}[this.data.provider] ||
            "fa-envelope-o"
        );
    }
}

/** Whose it is, and whether that one has left. */
export class OwnerCell extends Component {
    static template = "easycrm_mail.OwnerCell";
    static components = {Many2OneAvatarUserField};
    static props = Many2OneAvatarUserField.props;

    get note() {
        return this.props.record.data.owner_note;
    }
}

/** How long ago it was read, as time passes; red when that is late. Stopped, it only says since when. */
export class LagCell extends Cell {
    static template = "easycrm_mail.LagCell";

    setup() {
        this.clock = useMinuteClock();
    }

    get lag() {
        return this.value && Math.max(0, this.clock.now - this.value.toMillis());
    }

    get words() {
        return lagWords(this.lag);
    }

    get leftWords() {
        return _t("left %s", dayWords(this.data.stopped_at));
    }

    get isLate() {
        return isLate(this.lag, this.data.late_minutes);
    }

    get moment() {
        return momentWords(
            this.value,
            DateTime.fromMillis(this.clock.now, {zone: this.value.zone})
        );
    }
}

/** How many of the last 7 days' emails are here, and how one knows. */
export class WeekCell extends Cell {
    static template = "easycrm_mail.WeekCell";

    get isShort() {
        return this.data.gap_count > 0;
    }
}

/** The mails of the last days, a small bar each. */
export class MailBars extends Cell {
    static template = "easycrm_mail.MailBars";

    get bars() {
        return barsOf(this.value || []).map((bar) => ({
            ...bar,
            title: _t("%(day)s: %(count)s emails", {
                day: DateTime.fromISO(bar.day).toLocaleString(DateTime.DATE_MED),
                count: bar.count,
            }),
        }));
    }

    /** What is said to those who do not see the bars. */
    get words() {
        return _t(
            "Emails a day, the oldest first: %s",
            this.bars.map(({count}) => count).join(", ")
        );
    }
}

/** How much the service still lets be asked. */
export class QuotaCell extends Cell {
    static template = "easycrm_mail.QuotaCell";

    get isCounted() {
        return this.value >= 0;
    }

    get words() {
        return _t("%s %", this.value);
    }

    get tone() {
        return this.value >= 80 ? "bg-warning" : "bg-primary";
    }
}

/** What is wrong, and what happens next; of somebody who has left, what is still to be handed over. */
export class TroubleCell extends Cell {
    static template = "easycrm_mail.TroubleCell";
    static components = {ViewButton};
}

const fields = registry.category("fields");
fields.add("easycrm_account_mailbox", {
    component: MailboxCell,
    supportedTypes: ["char"],
    fieldDependencies: [
        {name: "provider", type: "selection", readonly: true},
        {name: "service_line", type: "char", readonly: true},
    ],
});
fields.add("easycrm_account_owner", {
    ...many2OneAvatarUserField,
    component: OwnerCell,
    fieldDependencies: [{name: "owner_note", type: "char", readonly: true}],
});
fields.add("easycrm_account_lag", {
    component: LagCell,
    supportedTypes: ["datetime"],
    listViewWidth: 95,
    fieldDependencies: [
        {name: "late_minutes", type: "integer", readonly: true},
        {name: "stopped_at", type: "datetime", readonly: true},
    ],
});
fields.add("easycrm_account_week", {
    component: WeekCell,
    supportedTypes: ["json"],
    listViewWidth: 160,
    fieldDependencies: [{name: "gap_count", type: "integer", readonly: true}],
});
fields.add("easycrm_account_bars", {
    component: MailBars,
    supportedTypes: ["json"],
    listViewWidth: 100,
});
fields.add("easycrm_account_quota", {
    component: QuotaCell,
    supportedTypes: ["integer"],
    listViewWidth: 90,
    fieldDependencies: [{name: "stopped_at", type: "datetime", readonly: true}],
});
fields.add("easycrm_account_trouble", {
    component: TroubleCell,
    supportedTypes: ["json"],
    fieldDependencies: [{name: "hand_over_label", type: "char", readonly: true}],
});
