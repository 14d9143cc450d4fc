import {Component, useRef, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {TagsList} from "@web/core/tags_list/tags_list";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const SEPARATORS = /[,;\n]/;

function split(text) {
    return (text || "")
        .split(SEPARATORS)
        .map((part) => part.trim())
        .filter(Boolean);
}

/** Email addresses as tags: a text on the server, separated by commas. */
export class AddressesField extends Component {
    static template = "easycrm_mail.AddressesField";
    static components = {TagsList};
    static props = {
        ...standardFieldProps,
        placeholder: {type: String, optional: true},
    };

    setup() {
        this.input = useRef("input");
        this.state = useState({text: ""});
    }

    get addresses() {
        return split(this.props.record.data[this.props.name]);
    }

    get tags() {
        return this.addresses.map((address, index) => ({
            id: `${index} ${address}`,
            text: address,
            title: address,
            onDelete: this.props.readonly ? undefined : () => this.remove(index),
        }));
    }

    get placeholder() {
        return this.addresses.length ? "" : this.props.placeholder || "";
    }

    get label() {
        return _t("Add another email address");
    }

    update(addresses) {
        return this.props.record.update({[this.props.name]: addresses.join(", ")});
    }

    async remove(index) {
        await this.update(this.addresses.filter((_address, other) => other !== index));
        this.input.el?.focus();
    }

    /** What was typed becomes tags; what is wrong with it, the server says when it is saved. */
    add() {
        const known = this.addresses;
        const entered = split(this.state.text).filter(
            (address) => !known.includes(address.toLowerCase())
        );
        this.state.text = "";
        if (entered.length) {
            return this.update([...known, ...entered]);
        }
    }

    onKeydown(ev) {
        if (["Enter", ",", ";"].includes(ev.key) && this.state.text.trim()) {
            ev.preventDefault();
            ev.stopPropagation();
            this.add();
        } else if (ev.key === "Backspace" && !this.state.text) {
            const last = this.addresses.length - 1;
            if (last >= 0) {
                this.remove(last);
            }
        }
    }

    onInput(ev) {
        this.state.text = ev.target.value;
        this.props.record.model.bus.trigger("FIELD_IS_DIRTY", Boolean(ev.target.value));
    }
}

export const addressesField = {
    component: AddressesField,
    displayName: _t("Email addresses"),
    supportedTypes: ["char"],
    extractProps: ({attrs, placeholder}) => ({
        placeholder: placeholder || attrs.placeholder,
    }),
};

registry.category("fields").add("easycrm_addresses", addressesField);
