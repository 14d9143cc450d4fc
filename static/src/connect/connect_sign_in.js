import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {iconOf} from "./connect_mailbox";
import {knownOf, usualAuthOf} from "./connect_servers";
import {SERVICES} from "./connect_words";

const NOTES = {
    app: _t(
        "This provider wants an app password: make one in the mailbox’s security settings. The password of its website does not work here."
    ),
    enable: _t(
        "IMAP must be switched on in this mailbox’s own settings, on the provider’s website."
    ),
    own: _t(
        "This provider has a password of its own for mail programs: it is set on the provider’s website."
    ),
};

/** Where a company's own domain often has its mail. */
const WAYS = [
    {provider: "gmail", icon: iconOf("gmail"), title: _t("Google Workspace")},
    {provider: "outlook", icon: iconOf("outlook"), title: _t("Microsoft 365")},
];

/** A server's parts, each a field of the account. */
const SERVERS = [
    {what: "reading", prefix: "imap", title: _t("Reading (IMAP)")},
    {
        what: "sending",
        prefix: "smtp",
        title: _t("Sending (SMTP)"),
        hint: _t("Leave empty if you only read here."),
    },
];

const SECURITIES = [
    ["ssl", _t("TLS")],
    ["starttls", _t("STARTTLS")],
    ["none", _t("None (not encrypted)")],
];

/** The usual port of each encryption. */
const PORTS = {
    imap: {ssl: 993, starttls: 143, none: 143},
    smtp: {ssl: 465, starttls: 587, none: 25},
};

/** The second step: at Google or Microsoft by their own page, elsewhere by a password, or also by their page. */
export class ConnectSignIn extends Component {
    static template = "easycrm_mail.ConnectSignIn";
    static props = {
        form: Object,
        account: Object,
        options: Object,
        /** Where one signs in, by name; empty where the mailbox has a password. */
        service: String,
        /** Is that still to be done? */
        lacksSignIn: Boolean,
        note: String,
        isBusy: Boolean,
        onSignIn: Function,
        /** Takes a service that the mailbox is at after all. */
        onService: Function,
        /** Saves the servers. */
        save: Function,
        /** Tests a direction, and gives what is wrong, or false. */
        test: Function,
        /** Runs work with the window's buttons at rest. */
        attempt: Function,
    };

    setup() {
        this.servers = SERVERS;
        this.securities = SECURITIES;
        this.ways = WAYS;
        /** Is nothing known of the address, and nothing entered yet? */
        this.isUnknown = !this.props.form.imap_host;
        this.state = useState({results: {}, testing: ""});
    }

    /** What is known of the server that is entered. */
    get known() {
        return knownOf(this.props.form.imap_host, this.props.options.sign_in_hosts);
    }

    get asksWhere() {
        return this.isUnknown && !this.known;
    }

    get whereWords() {
        return _t(
            "Where %s has its mail is not known here. Is it at Google or Microsoft? Then you sign in there, and enter neither servers nor a password.",
            this.domain
        );
    }

    get isMissing() {
        const {options, service} = this.props;
        return Boolean(service && !options.services[this.known.service]);
    }

    get signInInsteadWords() {
        return _t("Sign in with %s instead", SERVICES[this.known.service]);
    }

    get noteWords() {
        const {note, service} = this.props;
        return (!service && NOTES[this.known?.password_note || note]) || "";
    }

    get domain() {
        return this.props.form.email.split("@")[1] || "";
    }

    setHost(prefix, host) {
        const {form, options} = this.props;
        form[`${prefix}_host`] = host;
        if (prefix === "imap") {
            form.imap_auth = usualAuthOf(host, options);
            const sending = knownOf(form.smtp_host, options.sign_in_hosts);
            // (nor does another service's go with it)
            const isOther = sending && sending.service !== this.known?.service;
            if (this.known && (!form.smtp_host || isOther)) {
                Object.assign(form, this.known.sending);
            }
        }
    }

    setSecurity(prefix, security) {
        const {form} = this.props;
        const usual = PORTS[prefix];
        const old = usual[form[`${prefix}_security`]];
        form[`${prefix}_security`] = security;
        if (form[`${prefix}_port`] === old) {
            form[`${prefix}_port`] = usual[security];
        }
    }

    setPort(prefix, value) {
        this.props.form[`${prefix}_port`] = Number.parseInt(value, 10) || 0;
    }

    testAll() {
        return this.props.attempt(async () => {
            this.state.results = {};
            await this.props.save();
            for (const {what, prefix} of SERVERS) {
                if (prefix === "smtp" && !this.props.form.smtp_host) {
                    continue;
                }
                this.state.testing = what;
                try {
                    this.state.results[what] = {words: await this.props.test(what)};
                } finally {
                    this.state.testing = "";
                }
            }
        });
    }
}
