import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {registry} from "@web/core/registry";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {reloadUnlessDirty} from "../sync/reload_record";
import {batchWords, countWords, progressWords} from "./campaign_words";
import {usePolling} from "./polling";

/** Milliseconds between two looks while a mailing is being sent. */
const DELAY = 3000;

/**
 * `<widget name="easycrm_mailing_progress"/>` on a mailing's form: how far its sender is, as it happens; what holds it
 * up, and what can be done about it; who was left out, and why.
 */
export class MailingProgress extends Component {
    static template = "easycrm_mail.MailingProgress";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.state = useState({progress: null, isWaiting: false});
        this.polling = usePolling(
            () => this.look(),
            () => this.isLive && DELAY
        );
        useRecordObserver(async ({resId, data}, props) => {
            const known = `${resId} ${data.state} ${data.easycrm_paused}`;
            if (known !== this.known) {
                this.known = known;
                await this.look(props.record);
            }
            this.polling.start();
        });
    }

    get record() {
        return this.props.record;
    }

    /** Whether more is to be expected soon: not while a mailing waits for its day. */
    get isLive() {
        const {
            state,
            schedule_type: type,
            next_departure_is_past: isPast,
        } = this.record.data;
        return (
            state === "sending" || (state === "in_queue" && (type === "now" || isPast))
        );
    }

    /** Asks how far it is; returns whether the form was read anew for that. */
    async look(record = this.record) {
        const {resId, data} = record;
        if (!resId) {
            return false;
        }
        if (this.lookedAt !== resId) {
            this.state.isWaiting = false;
        }
        const [before, wasAt] = [this.state.progress, this.lookedAt];
        this.lookedAt = resId;
        const progress = await this.orm.silent.call(
            record.resModel,
            "easycrm_get_progress",
            [[resId]]
        );
        if (this.lookedAt !== resId) {
            return false;
        }
        // A bar does not go backwards: what came late was seen before.
        if (before && wasAt === resId && progress.state === before.state) {
            progress.done = Math.max(progress.done, before.done);
            progress.percent = Math.max(percentOf(progress), before.percent);
        } else {
            progress.percent = percentOf(progress);
        }
        this.state.progress = progress;
        // (it has gone on, it has stopped by itself, or all its recipients are known)
        if (
            progress.state !== data.state ||
            Boolean(progress.paused) !== Boolean(data.easycrm_paused) ||
            (before && wasAt === resId && before.is_writing && !progress.is_writing)
        ) {
            await reloadUnlessDirty(record);
            return true;
        }
        return false;
    }

    get progress() {
        return this.state.progress;
    }

    get isSending() {
        return this.progress?.state === "sending";
    }

    get isShown() {
        const {progress} = this;
        return (
            progress &&
            (this.isSending ||
                progress.left_out.length ||
                progress.failed.length ||
                progress.doubt_people)
        );
    }

    /** What holds it up: that nobody has to be asked about twice. */
    get failing() {
        return this.state.isWaiting ? null : this.progress.failing;
    }

    get words() {
        return progressWords({...this.progress, failing: this.failing});
    }

    get batchWords() {
        return batchWords(this.progress);
    }

    get waitingWords() {
        const {done, total, failing} = this.progress;
        const numbers = {done: formatInteger(done), left: formatInteger(total - done)};
        const words = _t(
            "%(done)s are handed over, %(left)s wait. Nobody gets it twice.",
            numbers
        );
        return failing.words ? `${failing.words} ${words}` : words;
    }

    /** After "Wait", and as long as it is too early to ask. */
    get triedWords() {
        return _t("%s It is tried again by itself.", this.progress.failing.words);
    }

    get doubtWords() {
        return _t(
            "%s in doubt: the sender’s answer was lost. What it reports settles that within an hour; nobody gets the mail again by itself.",
            formatInteger(this.progress.doubt_people)
        );
    }

    get barClass() {
        return this.progress.paused || this.failing ? "bg-secondary" : "";
    }

    get leftOut() {
        return this.progress.left_out.filter((row) => row.type);
    }

    get cancelled() {
        return this.progress.left_out.filter((row) => !row.type);
    }

    count(rows) {
        return formatInteger(rows.reduce((sum, row) => sum + row.count, 0));
    }

    countWords(row) {
        return countWords(row);
    }

    goOnWords(other) {
        return _t("Continue through %s", other.name);
    }

    async open(kind, row) {
        const action = await this.call("action_easycrm_view_recipients", [
            kind,
            row ? row.type : null,
            row ? row.label : null,
        ]);
        await this.action.doAction(action);
    }

    call(name, args = []) {
        return this.orm.call(this.record.resModel, name, [
            [this.record.resId],
            ...args,
        ]);
    }

    async act(name, args) {
        await this.call(name, args);
        this.state.isWaiting = false;
        if (!(await this.look())) {
            await reloadUnlessDirty(this.record);
        }
    }

    resume() {
        return this.act("action_easycrm_resume");
    }

    goOn(other) {
        return this.act("action_easycrm_go_on_through", [other.id]);
    }

    wait() {
        this.state.isWaiting = true;
    }

    cancel() {
        this.dialog.add(ConfirmationDialog, {
            title: _t("Cancel sending?"),
            body: _t(
                "Whoever has not got the mail yet will not get it. This cannot be taken back."
            ),
            confirmLabel: _t("Cancel sending"),
            confirm: () => this.act("action_easycrm_cancel"),
            cancelLabel: _t("Go on"),
            cancel: () => false,
        });
    }
}

function percentOf({done, total}) {
    return total ? Math.min(100, Math.floor((100 * done) / total)) : 0;
}

export const mailingProgress = {
    component: MailingProgress,
    fieldDependencies: [
        {name: "state", type: "selection", readonly: true},
        {name: "schedule_type", type: "selection"},
        {name: "next_departure_is_past", type: "boolean", readonly: true},
        {name: "easycrm_paused", type: "boolean", readonly: true},
    ],
};

registry.category("view_widgets").add("easycrm_mailing_progress", mailingProgress);
