import {Component, onWillStart, status, useEffect, useRef, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {reloadUnlessDirty} from "../sync/reload_record";
import {useFocusNext} from "./focus_next";
import {ONLY_HERE, useOnlyHere} from "./only_here";
import {useSetPrivate} from "./privacy_menu";
import {undoSteps} from "./timeline_store";
import {lastWords, longTime} from "./timeline_words";
import {useUndoToast} from "./undo_toast";

const LABELS = {
    contact: {
        icon: "fa-user-o",
        here: _t("(this contact)"),
        there: _t("(contact)"),
        remedy: _t("Take off this contact"),
    },
    lead: {
        icon: "fa-star-o",
        here: _t("(this lead)"),
        there: _t("(lead)"),
        remedy: _t("Take off this lead"),
    },
    opportunity: {
        icon: "fa-star",
        here: _t("(this opportunity)"),
        there: _t("(opportunity)"),
        remedy: _t("Take off this opportunity"),
    },
};

const STEP_ICONS = {
    link: "fa-link",
    take_off: "fa-chain-broken",
    put_back: "fa-link",
    ignore: "fa-ban",
    bring_back: "fa-inbox",
};

/** One line a reason why a mail stands here, each with what can be done about it. */
export class WhyPanel extends Component {
    static template = "easycrm_mail.WhyPanel";
    static props = {
        email: Object,
        // of the timeline that the mail stands on, if on one
        store: {type: Object, optional: true},
        record: {type: Object, optional: true},
        onClose: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.focusNext = useFocusNext(useRef("root"));
        this.notification = useService("notification");
        this.unlinked = useService("easycrm_mail.unlinked");
        this.undoToast = useUndoToast();
        this.setPrivate = useSetPrivate(() => this.props.store);
        this.onlyHere = useOnlyHere(() => this.reload());
        this.state = useState({
            status: "loading",
            reasons: [],
            /** What was done with it, the newest first. */
            history: [],
            /** Who else reads it. */
            sharing: {privacy: false, sentence: false},
        });
        onWillStart(() => {
            this.load();
        });
        this.store = this.props.store && useState(this.props.store);
        useEffect(
            (privacy) => {
                this.followPrivacy(privacy);
            },
            () => [this.store?.find(this.props.email.thread_id)?.privacy]
        );
    }

    async load() {
        const {email, record} = this.props;
        try {
            const [reasons, sharing, history] = await Promise.all([
                this.orm.silent.call("easycrm.email", "easycrm_why", [[email.id]], {
                    model: record?.resModel || "",
                    res_id: record?.resId || 0,
                }),
                this.orm.silent.call("easycrm.email", "easycrm_sharing", [[email.id]]),
                this.orm.silent.call("easycrm.email", "easycrm_history", [[email.id]]),
            ]);
            Object.assign(this.state, {reasons, sharing, history, status: "ready"});
        } catch {
            this.state.status = "failed";
        }
    }

    /** After a step that the panel shows by itself. */
    async loadHistory() {
        const {email} = this.props;
        if (status(this) !== "destroyed") {
            this.state.history = await this.orm.silent
                .call("easycrm.email", "easycrm_history", [[email.id]])
                .catch(() => this.state.history);
        }
    }

    get reasons() {
        return this.state.reasons.map((reason) => {
            const {model, label: kind} = reason.record;
            const label =
                LABELS[kind] ||
                LABELS[model === "crm.lead" ? "opportunity" : "contact"];
            return {
                ...reason,
                ...label,
                ...lastWords(reason.sentence),
                place: this.isHere(reason) ? label.here : label.there,
                onlyHere: ONLY_HERE[kind] || ONLY_HERE.opportunity,
                since: reason.when && longTime(reason.when, luxon.DateTime.local()),
            };
        });
    }

    get history() {
        return this.state.history.map((step) => ({
            ...step,
            icon: STEP_ICONS[step.kind],
            since: longTime(step.when, luxon.DateTime.local()),
        }));
    }

    isHere({record: {model, id}}) {
        const {record} = this.props;
        return model === record?.resModel && id === record?.resId;
    }

    /** Done at once; whoever did not mean it takes it back from the toast. */
    async takeOff(reason) {
        const {store, record} = this.props;
        const email = this.isHere(reason) ? this.props.email : null;
        const forget = ({link_id}) => link_id !== reason.link_id;
        const steps = await store.takeOff(reason.link_id, email);
        const index = this.state.reasons.findIndex((other) => !forget(other));
        this.state.reasons = this.state.reasons.filter(forget);
        this.focusNext(
            `.o_easycrm_reason:nth-child(${index + 1}) button`,
            ".o_easycrm_why_close"
        );
        this.undoToast(_t("Taken off %s.", reason.record.name), async () => {
            await store.undoTakeOff(steps, email);
            await reloadUnlessDirty(record);
            if (status(this) !== "destroyed") {
                await this.load();
            }
        });
        await Promise.all([this.loadHistory(), reloadUnlessDirty(record)]);
    }

    /** A step that was taken long ago, all of it: with the other emails that it was about. */
    async undo({batch}) {
        const {message} = await this.orm.call("easycrm.email.copy", "undo", [batch]);
        this.notification.add(message, {type: "info"});
        this.unlinked.tell();
        await this.reload(".o_easycrm_step button", ".o_easycrm_why_close");
    }

    /** Made private here, in the conversation's menu or by Undo: who can read it is told anew. */
    async followPrivacy(privacy) {
        const {status: now, sharing} = this.state;
        if (now === "ready" && privacy && privacy !== sharing.privacy) {
            const wasHere = document.activeElement?.closest(".o_easycrm_sharing");
            await this.load();
            if (wasHere) {
                this.focusNext(".o_easycrm_sharing button", ".o_easycrm_why_close");
            }
        }
    }

    async narrow(reason) {
        await this.onlyHere.narrow(reason.record, this.props.email.thread_id);
        this.focusNext(".o_easycrm_widen", ".o_easycrm_why_close");
    }

    async widen() {
        await this.onlyHere.widen(this.props.email.thread_id);
        this.focusNext(".o_easycrm_only", ".o_easycrm_why_close");
    }

    /** @param {...string} next what takes the focus once the panel is drawn anew */
    async reload(...next) {
        const {store, record} = this.props;
        const load = async () => {
            await this.load();
            this.focusNext(...next);
        };
        await Promise.all([store?.load(), status(this) !== "destroyed" && load()]);
        if (record) {
            await reloadUnlessDirty(record);
        }
    }

    /** A mail that was taken off comes back to its place in the timeline, or leaves a list of those without one. */
    async putBack(reason) {
        // The service itself: the mail may have left the screen when Undo is chosen.
        const {orm} = this.env.services;
        const follow = (...next) => {
            this.unlinked.tell();
            return this.reload(...next);
        };
        const place = this.state.reasons.findIndex(
            ({link_id: id}) => id === reason.link_id
        );
        const steps = await orm.call("easycrm.email.link", "action_put_back", [
            [reason.link_id],
        ]);
        await follow(
            `.o_easycrm_reason:nth-child(${place + 1}) button`,
            ".o_easycrm_why_close"
        );
        this.undoToast(_t("Put back on %s.", reason.record.name), async () => {
            await undoSteps(orm, steps);
            await follow();
        });
    }
}
