import {Component} from "@odoo/owl";

import {deserializeDate} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {ConnectInvite} from "../account/connect_invite";
import {whereAction} from "../where/where";

/** The field that holds the address by which mail finds a record. */
const ADDRESS_FIELDS = {"res.partner": "email", "crm.lead": "email_from"};

/** Nothing to show, why, and what to do about it. Which case it is, the server says. */
export class EmptyState extends Component {
    static template = "easycrm_mail.EmptyState";
    static components = {ConnectInvite};
    static props = {
        kind: String,
        record: Object,
        detail: {type: Object, optional: true},
        progress: {type: [Object, {value: false}], optional: true},
        /** How long the first reading still takes, in words. */
        timeLeft: {type: String, optional: true},
    };
    static defaultProps = {detail: {}, progress: false, timeLeft: ""};

    setup() {
        this.action = useService("action");
        this.composer = useService("easycrm_mail.compose");
    }

    /** Whom the emails would be from: the person of a lead, not what it is about. */
    get name() {
        const {contact_name, partner_name, name, display_name} = this.props.record.data;
        const [address = ""] = this.props.detail.addresses || [];
        return this.isLead
            ? contact_name || partner_name || address
            : name || display_name || "";
    }

    get connectWords() {
        return this.name
            ? _t(
                  "The emails that you exchange with %s will stand here by themselves, and so will those of everybody else you write to. You see what would come in before anything is stored.",
                  this.name
              )
            : _t(
                  "The emails that you write and receive will stand here by themselves. You see what would come in before anything is stored."
              );
    }

    get nothingWords() {
        return this.name
            ? _t("No emails with %s yet", this.name)
            : _t("No emails here yet");
    }

    get addressField() {
        const field = ADDRESS_FIELDS[this.props.record.resModel];
        return field in this.props.record.activeFields ? field : false;
    }

    get isLead() {
        return this.props.record.resModel === "crm.lead";
    }

    get percent() {
        const {done, total} = this.props.progress;
        return total ? Math.min(100, Math.round((100 * done) / total)) : 0;
    }

    get progressWords() {
        const {done, total} = this.props.progress;
        return _t("%(done)s of %(total)s read", {
            done: formatInteger(done),
            total: formatInteger(total),
        });
    }

    get firstSyncWords() {
        const {timeLeft} = this.props;
        if (!timeLeft) {
            return _t(
                "The newest emails come first, so they may show here any moment."
            );
        }
        return _t(
            "%s. The newest emails come first, so they may show here any moment.",
            timeLeft[0].toUpperCase() + timeLeft.slice(1)
        );
    }

    /** What was looked for, where, and how far back. */
    get comparedWords() {
        const {addresses = [], mailboxes = 0, since} = this.props.detail;
        if (!addresses.length || !mailboxes) {
            return _t("New emails will stand here by themselves.");
        }
        const values = {
            addresses: addresses.join(", "),
            mailboxes: formatInteger(mailboxes),
            date:
                since && deserializeDate(since).toLocaleString(luxon.DateTime.DATE_MED),
        };
        if (!since) {
            return mailboxes === 1
                ? _t("Compared with %(addresses)s in 1 mailbox.", values)
                : _t("Compared with %(addresses)s in %(mailboxes)s mailboxes.", values);
        }
        return mailboxes === 1
            ? _t("Compared with %(addresses)s in 1 mailbox, back to %(date)s.", values)
            : _t(
                  "Compared with %(addresses)s in %(mailboxes)s mailboxes, back to %(date)s.",
                  values
              );
    }

    compose() {
        const {resModel, resId} = this.props.record;
        return this.composer.open({active_model: resModel, active_ids: [resId]});
    }

    showAccounts() {
        return this.action.doAction("easycrm_mail.easycrm_email_account_action_my");
    }

    /** For whoever misses an email here. */
    askWhere() {
        const [address = ""] = this.props.detail.addresses || [];
        return this.action.doAction(whereAction(address));
    }

    focusAddress(ev) {
        const form = ev.currentTarget.closest(".o_form_view");
        const selector = `.o_field_widget[name='${this.addressField}'] input`;
        const input = [...form.querySelectorAll(selector)].find(
            (el) => el.offsetParent
        );
        input?.focus();
        input?.scrollIntoView({block: "center"});
    }
}
