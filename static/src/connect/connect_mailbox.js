import {Component} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";

/** The ways in, also on an empty timeline. */
export const WAYS = [
    {
        provider: "gmail",
        icon: "fa-google",
        title: _t("Gmail"),
        detail: _t("Google account, Google Workspace"),
    },
    {
        provider: "outlook",
        icon: "fa-windows",
        title: _t("Microsoft 365"),
        detail: _t("Outlook, Exchange Online"),
    },
    {
        provider: "imap",
        icon: "fa-envelope-o",
        title: _t("Other mailbox"),
        detail: _t("IMAP and SMTP"),
    },
];

export function iconOf(provider) {
    return WAYS.find((way) => way.provider === provider).icon;
}

/** The first step: which mailbox. */
export class ConnectMailbox extends Component {
    static template = "easycrm_mail.ConnectMailbox";
    static props = {
        form: Object,
        /** service -> whether an administrator has set it up */
        services: Object,
        onSubmit: Function,
    };

    setup() {
        this.ways = WAYS;
    }

    isSetUp(provider) {
        return provider === "imap" || this.props.services[provider];
    }

    get missing() {
        const {provider} = this.props.form;
        return provider && !this.isSetUp(provider);
    }
}
