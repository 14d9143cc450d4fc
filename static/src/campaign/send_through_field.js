import {Component, onWillStart, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

let nextId = 0;

/** `<field name="easycrm_esp_id" widget="easycrm_send_through"/>`: which way a mailing goes, and how that way is. */
export class SendThroughField extends Component {
    static template = "easycrm_mail.SendThroughField";
    static props = {...standardFieldProps};

    setup() {
        this.orm = useService("orm");
        this.id = `easycrm_send_through_${nextId++}`;
        this.state = useState({senders: []});
        onWillStart(() => this.load());
    }

    async load() {
        const {relation} = this.props.record.fields[this.props.name];
        this.state.senders = await this.orm.searchRead(
            relation,
            [],
            ["display_name", "health", "has_api_key", "has_webhook_key"]
        );
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    /** Odoo's own server, the senders, and the one that was chosen and is archived since. */
    get ways() {
        const {senders} = this.state;
        const ways = [{id: false, name: _t("Odoo’s mail server")}];
        for (const sender of senders) {
            ways.push({
                id: sender.id,
                name: sender.display_name,
                // (what cannot send cannot be chosen, but what is chosen stays to be seen)
                isDisabled: !sender.has_api_key && sender.id !== this.value?.id,
                title: sender.has_api_key ? undefined : sender.health,
            });
        }
        if (this.value && !senders.some(({id}) => id === this.value.id)) {
            ways.push({id: this.value.id, name: this.value.display_name});
        }
        return ways;
    }

    get chosen() {
        return this.state.senders.find(({id}) => id === this.value?.id);
    }

    get tone() {
        const {has_api_key: canSend, has_webhook_key: canReport} = this.chosen;
        if (!canSend) {
            return "danger";
        }
        return canReport ? "success" : "warning";
    }

    choose(way) {
        const value = way.id && {id: way.id, display_name: way.name};
        return this.props.record.update({[this.props.name]: value});
    }
}

export const sendThroughField = {
    component: SendThroughField,
    displayName: _t("Send through"),
    supportedTypes: ["many2one"],
    isEmpty: () => false,
};

registry.category("fields").add("easycrm_send_through", sendThroughField);
