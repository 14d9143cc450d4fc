import {Component, onMounted, useRef, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {fullTime} from "../timeline/timeline_words";

export const WHERE = "easycrm_mail.where";

const ICONS = {
    yes: {icon: "fa-check-circle text-success", word: _t("Yes:")},
    no: {icon: "fa-times-circle text-danger", word: _t("No:")},
    note: {icon: "fa-info-circle text-info", word: _t("Note:")},
};

/** The action that opens the window, with a text that is asked for at once. */
export function whereAction(text = "") {
    return {
        type: "ir.actions.client",
        tag: WHERE,
        name: _t("Where Is My Email?"),
        target: "new",
        params: {text},
    };
}

/** A small window that tells what became of an email, step by step. */
export class Where extends Component {
    static template = "easycrm_mail.Where";
    static components = {};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.input = useRef("input");
        this.state = useState({
            text: this.props.action.params?.text || "",
            status: "new",
            error: "",
            answer: null,
            /** What mailboxes have said themselves: {mailbox id: steps, or null while they are asked}. */
            live: {},
        });
        onMounted(() => {
            this.input.el.focus();
            if (this.state.text) {
                this.ask();
            }
        });
    }

    async ask() {
        const text = this.state.text.trim();
        if (!text || this.state.status === "asking") {
            this.input.el.focus();
            return;
        }
        this.state.status = "asking";
        try {
            this.state.answer = await this.orm.silent.call(
                "easycrm.email.where",
                "ask",
                [text]
            );
            this.state.status = "told";
            this.state.live = {};
        } catch (error) {
            this.state.error =
                error.data?.message || _t("This could not be looked for.");
            this.state.status = "failed";
        }
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            this.ask();
        }
    }

    /** The mailbox itself, at its service: what it has now. */
    async askMailbox(id) {
        const {text} = this.state.answer;
        this.state.live[id] = null;
        try {
            this.state.live[id] = await this.orm.silent.call(
                "easycrm.email.where",
                "ask_mailbox",
                [id, text]
            );
        } catch (error) {
            const words = error.data?.message || _t("It could not be asked.");
            this.state.live[id] = [{state: "no", words, record: false}];
        }
    }

    get found() {
        const {kind, text, emails, more} = this.state.answer;
        if (!emails.length) {
            return {
                address: _t("No email of %s is here that you may see.", text),
                message_id: _t("No email with this Message-ID is here: %s", text),
                subject: _t("No email with “%s” in its subject is here.", text),
            }[kind];
        }
        if (more) {
            return _t("The %s newest emails:", emails.length);
        }
        return emails.length === 1 ? _t("1 email:") : _t("%s emails:", emails.length);
    }

    get groups() {
        const {kind, text, emails, steps, mailboxes} = this.state.answer;
        const groups = emails.map((email) => ({
            key: `email ${email.id}`,
            className: "o_easycrm_where_email",
            title: email.subject || _t("(no subject)"),
            detail: [email.from, fullTime(email.date)].filter(Boolean).join(" · "),
            steps: email.steps,
        }));
        if (kind === "address") {
            groups.push({
                key: "address",
                className: "o_easycrm_where_address",
                title: text,
                detail: _t("The address"),
                steps,
            });
        }
        for (const mailbox of mailboxes) {
            groups.push({
                key: `mailbox ${mailbox.id}`,
                className: "o_easycrm_where_mailbox",
                title: mailbox.name,
                detail: _t("Your mailbox"),
                steps: [...mailbox.steps, ...(this.state.live[mailbox.id] || [])],
                mailboxId: kind !== "subject" && mailbox.id,
                isAsked: mailbox.id in this.state.live,
                isAsking: this.state.live[mailbox.id] === null,
            });
        }
        return groups.map((group) => ({
            ...group,
            steps: group.steps.map((step) => ({...step, ...ICONS[step.state]})),
        }));
    }

    openRecord({model, id}) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    showAccounts() {
        return this.action.doAction("easycrm_mail.easycrm_email_account_action_my");
    }
}

registry.category("actions").add(WHERE, Where);
