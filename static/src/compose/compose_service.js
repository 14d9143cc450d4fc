import {reactive} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {ComposeDialog} from "./compose_dialog";
import {OUTBOX_CHANGED} from "./compose_model";
import {ComposeToasts} from "./compose_toasts";
import {plannedWords, wordsOf} from "./compose_words";

const MODEL = "easycrm.email.compose";
const OUTGOING = "easycrm.email.outgoing";

/** What the server says of a mail in the outbox: its id and state. */
const NOTIFICATION = "easycrm_mail.outgoing";

/** Milliseconds that a toast stays, once it has nothing more to count down. */
const TOAST_SHOWN = 8000;

/** How long it is awaited that the mailbox's service says that it was sent. */
const SENDING_SHOWN = 60_000;

/** Opens the Send Email window, and tells what becomes of what was sent: it can be taken back for some seconds. */
export const composeService = {
    dependencies: ["bus_service", "dialog", "orm"],

    start(env, {bus_service: bus, dialog, orm}) {
        const toasts = reactive([]);
        /** Drafts that are thrown away as soon as it can no longer be taken back. */
        const discarded = reactive(new Set());
        let nextToast = 1;
        let isListening = false;

        registry.category("main_components").add("easycrm_mail.ComposeToasts", {
            Component: ComposeToasts,
            props: {toasts},
        });

        function addToast(values) {
            const toast = reactive({id: nextToast++, kind: "info", ...values});
            toast.close = () => {
                const index = toasts.findIndex(({id}) => id === toast.id);
                if (index >= 0) {
                    toasts.splice(index, 1);
                    browser.clearTimeout(toast.timer);
                    toast.onClosed?.();
                }
            };
            toasts.push(toast);
            return toast;
        }

        function closeLater(toast, delay = TOAST_SHOWN) {
            browser.clearTimeout(toast.timer);
            toast.timer = browser.setTimeout(() => toast.close(), delay);
        }

        /**
         * @param {Object} context see `easycrm.email.compose.default_get`
         * @param {Object} [window] as the server has handed it over
         * @param {{wasPlanned?: boolean}} [props] whether it would have left by itself
         */
        async function open(context, window, props = {}) {
            await settleDiscards();
            closeKept(context.easycrm_outgoing_id);
            dialog.add(ComposeDialog, {
                ...props,
                context,
                window,
                onSent: (queued, model) => onSent(queued, model),
                onDiscarded: (model) => onDiscarded(model),
                onKept: (model) => onKept(model, props),
            });
        }

        function onSent(queued, model) {
            env.bus.trigger(OUTBOX_CHANGED);
            if (queued.scheduled_at) {
                const toast = addToast({
                    kind: "info",
                    title: plannedWords(queued.scheduled_at),
                    words: _t("to %s", queued.to),
                    onUndo: () => undo(queued, model.id, toast),
                });
                closeLater(toast);
                return;
            }
            announce(queued, model);
        }

        /**
         * @param {Object} queued what the server says of what it has queued
         * @param {Object} [model] the window that it was written in, if there is one
         */
        function announce({id, ids = [id], seconds, to}, model) {
            const queued = {ids, seconds, to};
            const composeId = model?.id || 0;
            listen();
            const toast = addToast({
                kind: "sending",
                ids: queued.ids,
                seconds: queued.seconds,
                total: queued.seconds,
                isOnTimeline: !model || model.records.length > 0,
                words: _t("to %s", queued.to),
                onUndo: () => undo(queued, composeId, toast),
            });
            countDown(toast, Date.now() + queued.seconds * 1000);
        }

        /** The seconds are what is left until then, however late the timer is. */
        function countDown(toast, until) {
            toast.seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
            if (toast.seconds) {
                toast.timer = browser.setTimeout(() => countDown(toast, until), 250);
                return;
            }
            toast.onUndo = null;
            toast.kind = "waiting";
            // (a cron that was triggered for a time only looks whether it has come once a minute)
            orm.silent.call(OUTGOING, "easycrm_wake", []).catch(() => {
                // (the cron comes by itself, a little later)
            });
            closeLater(toast, SENDING_SHOWN);
        }

        async function undo(queued, composeId, toast) {
            browser.clearTimeout(toast.timer);
            toast.onUndo = null;
            let answer;
            try {
                answer = await orm.silent.call(MODEL, "easycrm_undo", [
                    composeId ? [composeId] : [],
                    queued.ids,
                ]);
            } catch (error) {
                closeLater(addToast({kind: "warning", title: wordsOf(error)}));
                answer = {late: 0, window: false};
            }
            toast.close();
            env.bus.trigger(OUTBOX_CHANGED);
            if (answer.late) {
                const words = answer.window
                    ? _t("%s of them had left already.", answer.late)
                    : _t("It was too late: it has left already.");
                closeLater(addToast({kind: "warning", title: words}));
            }
            if (answer.window) {
                open({}, answer.window);
            }
        }

        /** A window that was closed, with what is kept of it: a draft, or what several get. */
        async function reopen(model) {
            if (model.draft === "failed") {
                return open({}, model.asWindow());
            }
            if (!model.isMany) {
                return open({easycrm_outgoing_id: model.outgoingId});
            }
            const window = await orm.call(MODEL, "easycrm_reopen", [[model.id]]);
            return open({}, window);
        }

        function keptWords({draft, isMany}, {wasPlanned}) {
            if (draft === "failed") {
                return _t(
                    "The draft could not be saved. It is kept while this stands here."
                );
            }
            if (wasPlanned) {
                return _t("It is a draft now and is not sent by itself.");
            }
            return isMany
                ? _t("What you wrote is kept while this stands here.")
                : _t("The draft is kept.");
        }

        function onKept(model, props) {
            env.bus.trigger(OUTBOX_CHANGED);
            const isFailed = model.draft === "failed";
            const toast = addToast({
                kind: isFailed ? "danger" : "info",
                title: keptWords(model, props),
                // (what could not be saved is nowhere else)
                keptId: !isFailed && model.outgoingId,
                action: _t("Go on writing"),
                onAction: () => {
                    toast.close();
                    reopen(model);
                },
            });
            if (!model.isMany && !isFailed) {
                closeLater(toast);
            }
        }

        /** A draft that is open again is not told to be kept. */
        function closeKept(outgoingId) {
            const isTold = ({keptId}) => keptId && keptId === outgoingId;
            toasts.filter(isTold).forEach((toast) => toast.close());
        }

        async function discard(model) {
            await model.discard().catch(() => {
                // (what could not be thrown away stays a draft)
                discarded.delete(model.outgoingId);
            });
            env.bus.trigger(OUTBOX_CHANGED);
        }

        /** What is thrown away is gone when it can no longer be taken back. */
        function onDiscarded(model) {
            const isWritten = model.outgoingId || model.draft !== "saved";
            if (!isWritten) {
                discard(model);
                return;
            }
            const kept = model.save().then(() => discarded.add(model.outgoingId));
            const toast = addToast({
                kind: "info",
                title: _t("Discarded."),
                isDiscard: true,
                onClosed: () => discard(model),
                onUndo: async () => {
                    await kept;
                    discarded.delete(model.outgoingId);
                    toast.onClosed = null;
                    toast.close();
                    reopen(model);
                },
            });
            closeLater(toast);
            kept.then(() => env.bus.trigger(OUTBOX_CHANGED));
        }

        async function settleDiscards() {
            for (const toast of toasts.filter(({isDiscard}) => isDiscard)) {
                const closed = toast.onClosed;
                toast.onClosed = null;
                toast.close();
                await closed?.();
            }
        }

        /** Tells that it was sent once the mailbox's service has said so, never before. */
        function listen() {
            if (isListening) {
                return;
            }
            isListening = true;
            bus.subscribe(NOTIFICATION, ({id, state}) => {
                const toast = toasts.find(({ids}) => ids?.includes(id));
                if (toast) {
                    onState(toast, id, state);
                }
            });
            bus.start();
        }

        function onState(toast, id, state) {
            if (state === "sent") {
                toast.count ??= toast.ids.length;
                toast.ids = toast.ids.filter((one) => one !== id);
                if (!toast.ids.length) {
                    toast.kind = "sent";
                    toast.title = sentWords(toast);
                    closeLater(toast);
                }
            } else if (state === "refused") {
                toast.kind = "danger";
                toast.title = _t("It was not sent. Why stands on the timeline.");
                closeLater(toast, 2 * TOAST_SHOWN);
            }
        }

        return {announce, discarded, open, toasts};
    },
};

function sentWords({isOnTimeline, count}) {
    if (count > 1) {
        return isOnTimeline
            ? _t("%s emails sent. Each stands on its timeline.", count)
            : _t("%s emails sent.", count);
    }
    return isOnTimeline ? _t("Sent. It stands on the timeline.") : _t("Sent.");
}

registry.category("services").add("easycrm_mail.compose", composeService);

registry.category("actions").add("easycrm_mail.compose", (env, {params = {}}) => {
    env.services["easycrm_mail.compose"].open(params.context || {});
});
