import {Component, useEffect, useRef, useState} from "@odoo/owl";

import {useHotkey} from "@web/core/hotkeys/hotkey_hook";
import {useService} from "@web/core/utils/hooks";
import {closestScrollableY} from "@web/core/utils/scrolling";
import {formatInteger} from "@web/views/fields/formatters";
import {_t} from "@web/core/l10n/translation";
import {useAccountEvents} from "../sync/account_hooks";
import {reloadUnlessDirty} from "../sync/reload_record";
import {Conversation} from "./conversation";
import {EmptyState} from "./empty_state";
import {groupByPeriod} from "./timeline_model";
import {countWords, periodWords} from "./timeline_words";
import {TimelineNotice} from "./timeline_notice";

const {DateTime} = luxon;

/** Older mail is asked for before the reader gets there. */
const LOAD_AHEAD = "600px";
/** Milliseconds between two looks at what a sync has brought: when it is done, and before, while it reads. */
const RELOAD_DELAY = 2000;
const PROGRESS_DELAY = 3000;

/** One record's conversations, newest first. */
export class Timeline extends Component {
    static template = "easycrm_mail.Timeline";
    static components = {Conversation, EmptyState, TimelineNotice};
    static props = {store: Object, record: Object};

    setup() {
        this.ui = useService("ui");
        this.store = useState(this.props.store);
        this.root = useRef("root");
        this.sentinel = useRef("sentinel");
        useEffect(
            (sentinel) => this.watchEnd(sentinel),
            () => [this.sentinel.el, this.store.next, this.store.more]
        );
        useAccountEvents(
            RELOAD_DELAY,
            ({event}) => event !== "progress",
            () => this.refresh()
        );
        useAccountEvents(
            PROGRESS_DELAY,
            ({event}) => event === "progress" && !document.hidden && this.showsProgress,
            () => this.refresh()
        );
        const area = () => this.root.el;
        useHotkey("j", () => this.moveFocus(1), {area, allowRepeat: true});
        useHotkey("k", () => this.moveFocus(-1), {area, allowRepeat: true});
        useHotkey("escape", ({target}) => this.store.close(this.threadOf(target)), {
            area,
            isAvailable: (target) => this.store.isOpen(this.threadOf(target)),
        });
    }

    get groups() {
        const now = DateTime.local();
        return groupByPeriod(this.store.conversations, now).map((group) => ({
            ...group,
            title: periodWords(group, now),
        }));
    }

    get count() {
        const {count, countCapped, next, conversations} = this.store;
        return countWords({
            count,
            capped: countCapped,
            conversations: next ? 0 : conversations.length,
        });
    }

    get progress() {
        const {done, total} = this.store.progress;
        return _t("%(done)s of %(total)s read, older emails are still coming in", {
            done: formatInteger(done),
            total: formatInteger(total),
        });
    }

    watchEnd(sentinel) {
        if (!sentinel || !this.store.next || this.store.more !== "idle") {
            return;
        }
        const observer = new IntersectionObserver(
            (entries) =>
                entries.some((entry) => entry.isIntersecting) && this.store.loadMore(),
            {root: closestScrollableY(sentinel), rootMargin: LOAD_AHEAD}
        );
        observer.observe(sentinel);
        return () => observer.disconnect();
    }

    get showsProgress() {
        return Boolean(this.store.progress) || this.store.empty === "first_sync";
    }

    /** What is new, and with it the form's own count of emails. */
    async refresh() {
        const {store, record} = this.props;
        const {count} = store;
        await store.load();
        if (store.count !== count) {
            await reloadUnlessDirty(record);
        }
    }

    threadOf(target) {
        const conversation = target?.closest?.(".o_easycrm_conversation");
        return conversation && Number(conversation.dataset.threadId);
    }

    moveFocus(step) {
        const rows = [...this.root.el.querySelectorAll(".o_easycrm_conversation")];
        const current = rows.indexOf(
            document.activeElement.closest(".o_easycrm_conversation")
        );
        const row = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
        if (row) {
            row.querySelector(".o_easycrm_toggle").focus({preventScroll: true});
            row.scrollIntoView({block: "nearest"});
        }
    }
}
