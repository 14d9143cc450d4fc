import { Component, onWillStart, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const LABELS = {
    contact: {
        icon: "fa-user-o",
        here: _t("(this contact)"),
        there: _t("(contact)"),
        remedy: _t("Take off this contact"),
        done: _t("Taken off this contact."),
    },
    lead: {
        icon: "fa-star-o",
        here: _t("(this lead)"),
        there: _t("(lead)"),
        remedy: _t("Take off this lead"),
        done: _t("Taken off this lead."),
    },
    opportunity: {
        icon: "fa-star",
        here: _t("(this opportunity)"),
        there: _t("(opportunity)"),
        remedy: _t("Take off this opportunity"),
        done: _t("Taken off this opportunity."),
    },
};

/** One line a reason why a mail stands here, each with what can be done about it. */
export class WhyPanel extends Component {
    static template = "easycrm_mail.WhyPanel";
    static props = { email: Object, store: Object, record: Object, onClose: Function };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.state = useState({ status: "loading", reasons: [] });
        onWillStart(() => {
            this.load();
        });
    }

    async load() {
        const { email, record } = this.props;
        try {
            this.state.reasons = await this.orm.silent.call(
                "easycrm.email",
                "easycrm_why",
                [[email.id]],
                { model: record.resModel, res_id: record.resId }
            );
            this.state.status = "ready";
        } catch {
            this.state.status = "failed";
        }
    }

    get reasons() {
        return this.state.reasons.map((reason) => {
            const label = LABELS[reason.record.label];
            return {
                ...reason,
                ...label,
                place: this.isHere(reason) ? label.here : label.there,
            };
        });
    }

    isHere({ record: { model, id } }) {
        return model === this.props.record.resModel && id === this.props.record.resId;
    }

    /** Done at once; whoever did not mean it takes it back from the toast. */
    async takeOff(reason) {
        const { email, store } = this.props;
        await this.callLink("action_take_off", reason);
        const close = this.notification.add(reason.done, {
            type: "success",
            autocloseDelay: 10000,
            buttons: [
                {
                    name: _t("Undo"),
                    onClick: async () => {
                        close();
                        await this.callLink("action_put_back", reason);
                        await store.load();
                    },
                },
            ],
        });
        if (this.isHere(reason)) {
            store.removeEmail(email);
        } else {
            this.state.reasons = this.state.reasons.filter(
                ({ link_id }) => link_id !== reason.link_id
            );
        }
    }

    callLink(method, { link_id }) {
        return this.orm.call("easycrm.email.link", method, [[link_id]]);
    }
}
