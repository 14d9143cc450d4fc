import {
    Component,
    markRaw,
    onMounted,
    onPatched,
    onWillPatch,
    onWillUnmount,
    useEffect,
    useRef,
    useState,
} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {useHotkey} from "@web/core/hotkeys/hotkey_hook";
import {useService} from "@web/core/utils/hooks";
import {closestScrollableY} from "@web/core/utils/scrolling";
import {formatInteger} from "@web/views/fields/formatters";
import {_t} from "@web/core/l10n/translation";
import {useAccountEvents} from "../sync/account_hooks";
import {reloadUnlessDirty} from "../sync/reload_record";
import {timeLeftWords, withTimeLeft} from "../sync/time_left";
import {CampaignRow} from "./campaign_row";
import {Planned} from "../compose/planned";
import {Conversation} from "./conversation";
import {EmptyState} from "./empty_state";
import {TimelineBar} from "./timeline_bar";
import {NO_FILTERS, nothingFitsWords, searchedWords} from "./timeline_filters";
import {useTimelinePings} from "./timeline_live";
import {groupByPeriod} from "./timeline_model";
import {newsWords, periodWords} from "./timeline_words";
import {TimelineNotice} from "./timeline_notice";

const {DateTime} = luxon;

/** Older mail is asked for before the reader gets there. */
const LOAD_AHEAD = "600px";
/** Milliseconds between two looks at what a sync has brought: when it is done, and before, while it reads. */
const RELOAD_DELAY = 2000;
const PROGRESS_DELAY = 3000;
/** How long it is told that new mail came, and that much above the emails is still at their top. */
const ARRIVED_SHOWN = 5000;
const TOP_MARGIN = 8;

/** One record's conversations, newest first. */
export class Timeline extends Component {
    static template = "easycrm_mail.Timeline";
    static components = {
        CampaignRow,
        Conversation,
        EmptyState,
        Planned,
        TimelineBar,
        TimelineNotice,
    };
    static props = {store: Object, record: Object};

    setup() {
        this.account = useService("easycrm_mail.account");
        this.composer = useService("easycrm_mail.compose");
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
        useTimelinePings(
            () => this.props.record,
            () => this.refresh(true)
        );
        useEffect(
            (arrived) => this.forgetArrived(arrived),
            () => [this.store.arrived]
        );
        const reader = markRaw({isAtTop: () => this.isAtTop});
        onMounted(() => (this.store.reader = reader));
        onPatched(() => this.turnToNews());
        useEffect(
            (isSmall) => {
                const inset = isSmall ? this.topInset : 0;
                this.root.el.style.setProperty("--o-easycrm-top", `${inset}px`);
            },
            () => [this.ui.isSmall, this.store.newCount]
        );
        onWillUnmount(() => {
            if (this.store.reader === reader) {
                this.store.reader = null;
            }
        });
        this.setupKeys();
        this.setupFocus();
    }

    /** Single keys, in the form and when nothing has the focus; never while typing. */
    setupKeys() {
        const area = () =>
            document.activeElement === document.body
                ? document.body
                : this.root.el.closest(".o_form_view") || this.root.el;
        const options = {area, isAvailable: () => Boolean(this.root.el?.offsetParent)};
        useHotkey("j", () => this.moveFocus(1), {...options, allowRepeat: true});
        useHotkey("k", () => this.moveFocus(-1), {...options, allowRepeat: true});
        useHotkey("s", () => this.focusSearch(), options);
        useHotkey("c", () => this.compose(), options);
        useHotkey("escape", ({target}) => this.store.close(this.threadOf(target)), {
            area: () => this.root.el,
            isAvailable: (target) => this.store.isOpen(this.threadOf(target)),
        });
    }

    /** When the row that has the focus goes, the one in its place takes it. */
    setupFocus() {
        let index = -1;
        onWillPatch(() => (index = this.focusedIndex));
        onPatched(() => {
            if (index >= 0 && document.activeElement === document.body) {
                this.focusRow(Math.min(index, this.rows.length - 1));
            }
        });
    }

    get groups() {
        const now = DateTime.local();
        return groupByPeriod(this.store.conversations, now).map((group) => ({
            ...group,
            title: periodWords(group, now),
        }));
    }

    get progress() {
        const {done, total} = this.store.progress;
        const words = _t(
            "%(done)s of %(total)s read, older emails are still coming in",
            {
                done: formatInteger(done),
                total: formatInteger(total),
            }
        );
        return withTimeLeft(words, this.timeLeft);
    }

    get timeLeft() {
        return timeLeftWords(this.account.getTimeLeft());
    }

    /** Also while an answer is awaited: who types goes on typing. */
    get hasBar() {
        const {isFiltered, searching, conversations} = this.store;
        return isFiltered || searching || conversations.length > 0;
    }

    get nothingFits() {
        return nothingFitsWords(this.store.filters);
    }

    get searched() {
        return searchedWords(this.store.filters, this.store.lookedAt);
    }

    get news() {
        return newsWords(this.store.newCount);
    }

    /** What a screen reader says of new mail, whether it is shown already or waits. */
    get announcement() {
        const count = this.store.newCount || this.store.arrived;
        return count ? newsWords(count) : "";
    }

    /** Nothing is being read, and the newest email is in sight. */
    get isAtTop() {
        const root = this.root.el;
        if (!root || Object.keys(this.store.opened).length) {
            return false;
        }
        const feed = root.querySelector(".o_easycrm_feed") || root;
        const scroller = closestScrollableY(root);
        const top = scroller ? scroller.getBoundingClientRect().top : 0;
        return feed.getBoundingClientRect().top >= top + this.topInset - TOP_MARGIN;
    }

    /** What covers the upper edge of the page while it scrolls: a phone's control panel. */
    get topInset() {
        const panel = document.querySelector(".o_action_manager .o_control_panel");
        const isWithin = closestScrollableY(this.root.el)?.contains(panel);
        return isWithin ? panel.offsetHeight : 0;
    }

    forgetArrived(arrived) {
        if (!arrived) {
            return;
        }
        const timer = browser.setTimeout(() => {
            this.store.arrived = 0;
            this.store.fresh = new Set();
        }, ARRIVED_SHOWN);
        return () => browser.clearTimeout(timer);
    }

    /** Send Email, to whom this record is about. */
    compose() {
        const {resModel, resId} = this.store;
        return this.composer.open({active_model: resModel, active_ids: [resId]});
    }

    clearFilters() {
        this.store.setFilters(NO_FILTERS);
        this.focusSearch();
    }

    showNews() {
        this.isShowingNews = true;
        this.store.showHeld();
    }

    /** Once the news are in the page, they are what the reader looks at. */
    turnToNews() {
        if (this.isShowingNews) {
            this.isShowingNews = false;
            this.root.el.scrollIntoView({block: "start"});
            this.focusRow(0);
        }
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
    async refresh(isChanged = false) {
        const {store, record} = this.props;
        const {count} = store;
        store.loadPlanned();
        await store.refresh();
        if (isChanged || store.count !== count) {
            await reloadUnlessDirty(record);
        }
    }

    threadOf(target) {
        const conversation = target?.closest?.(".o_easycrm_conversation");
        return conversation && Number(conversation.dataset.threadId);
    }

    get rows() {
        return [...this.root.el.querySelectorAll(".o_easycrm_conversation")];
    }

    get focusedIndex() {
        return this.rows.indexOf(
            document.activeElement.closest(".o_easycrm_conversation")
        );
    }

    moveFocus(step) {
        const index = this.focusedIndex + step;
        this.focusRow(Math.min(Math.max(index, 0), this.rows.length - 1));
    }

    focusRow(index) {
        const row = this.rows[index];
        if (row) {
            row.querySelector(".o_easycrm_toggle").focus({preventScroll: true});
            row.scrollIntoView({block: "nearest"});
        }
    }

    focusSearch() {
        const input = this.root.el.querySelector(".o_easycrm_search_input");
        input?.focus();
        input?.select();
    }
}
