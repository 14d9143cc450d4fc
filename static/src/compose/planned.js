import {Component, onWillStart, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useBus, useService} from "@web/core/utils/hooks";
import {OUTBOX_CHANGED} from "./compose_model";
import {whenWords, wordsOf} from "./compose_words";

const OUTGOING = "easycrm.email.outgoing";

/** How each state of a mail in the outbox is told. */
const STATES = {
    draft: {icon: "fa-pencil", tone: "secondary", word: _t("Draft")},
    queued: {icon: "fa-clock-o", tone: "warning", word: _t("Will be sent")},
    sending: {
        icon: "fa-circle-o-notch fa-spin",
        tone: "primary",
        word: _t("Being sent"),
    },
    doubt: {icon: "fa-question", tone: "warning", word: _t("Not sure it was sent")},
    refused: {icon: "fa-exclamation", tone: "danger", word: _t("Not sent")},
};

/** What is written from this record and has not left, above what has. */
export class Planned extends Component {
    static template = "easycrm_mail.Planned";
    static props = {store: Object};

    setup() {
        this.store = useState(this.props.store);
        this.composer = useService("easycrm_mail.compose");
        this.discarded = useState(this.composer.discarded);
        this.notification = useService("notification");
        this.state = useState({busy: 0});
        useBus(this.env.bus, OUTBOX_CHANGED, () => this.store.loadPlanned());
        onWillStart(() => {
            this.store.loadPlanned();
        });
    }

    get mails() {
        const shown = this.store.planned.filter(({id}) => !this.discarded.has(id));
        return shown.map((mail) => ({
            ...mail,
            ...STATES[mail.state],
            subject: mail.subject || _t("(no subject)"),
            from: mail.mine === false ? mail.writer : _t("You"),
            time: mail.when && whenWords(mail.when, luxon.DateTime.local()),
            actions: this.actionsOf(mail),
        }));
    }

    actionsOf(mail) {
        return [
            {
                key: "edit",
                isAllowed: mail.can_edit,
                name: _t("Edit"),
                run: () => this.edit(mail),
            },
            {
                key: "send_now",
                isAllowed: mail.can_send_now,
                name: _t("Send now"),
                run: () => this.call(mail, "action_send_now"),
            },
            {
                key: "send_again",
                isAllowed: mail.can_send_again,
                name: _t("Send again"),
                run: () => this.sendAgain(mail),
            },
            {
                key: "cancel",
                isAllowed: mail.can_cancel,
                name: _t("Cancel"),
                run: () => this.call(mail, "action_cancel"),
            },
            {
                key: "discard",
                isAllowed: mail.can_discard,
                name: _t("Discard"),
                run: () => this.call(mail, "action_discard"),
            },
        ].filter(({isAllowed}) => isAllowed);
    }

    /** Asks for what was clicked, once; what became of it is read anew. */
    async call(mail, method) {
        if (this.state.busy) {
            return undefined;
        }
        this.state.busy = mail.id;
        try {
            return await this.store.orm.silent.call(OUTGOING, method, [[mail.id]]);
        } catch (error) {
            this.notification.add(wordsOf(error), {type: "warning"});
            return undefined;
        } finally {
            this.state.busy = 0;
            this.store.loadPlanned();
        }
    }

    async sendAgain(mail) {
        const queued = await this.call(mail, "action_send_again");
        if (queued) {
            this.composer.announce(queued);
        }
    }

    /** What is planned, or was refused, becomes a draft again, as long as it has not left. */
    async edit(mail) {
        if (mail.state !== "draft") {
            const answer = await this.call(mail, "action_undo");
            if (!answer?.undone) {
                if (answer) {
                    this.notification.add(answer.message, {type: "warning"});
                }
                return;
            }
        }
        this.composer.open({easycrm_outgoing_id: mail.id}, undefined, {
            wasPlanned: mail.state === "queued",
        });
    }
}
