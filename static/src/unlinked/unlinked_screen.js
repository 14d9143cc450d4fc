import {
    Component,
    onWillStart,
    onWillUpdateProps,
    useEffect,
    useRef,
    useState,
} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {Layout} from "@web/search/layout";
import {SearchBar} from "@web/search/search_bar/search_bar";
import {useSearchBarToggler} from "@web/search/search_bar/search_bar_toggler";
import {FormViewDialog} from "@web/views/view_dialogs/form_view_dialog";
import {useThrottled} from "../sync/throttle";
import {whereAction} from "../where/where";
import {Dock} from "./dock";
import {KeysDialog} from "./keys_dialog";
import {BY_SENDER, MODEL} from "./mail_items";
import {MailList} from "./mail_list";
import {MailListView} from "./mail_list_view";
import {ReaderPane} from "./reader_pane";
import {Nothing} from "./nothing";
import {Steps, errorWords} from "./steps";
import {Suggestions} from "./suggestions";
import {useUnlinkedKeys} from "./unlinked_keys";
import {
    ignoredWords,
    moreMailsWords,
    selectedSentence,
    waitingWords,
} from "./unlinked_words";

/** Milliseconds: between two looks at what has come, and that one stays on a mail before what fits it is asked. */
const REFRESH_DELAY = 2000;
const SUGGEST_DELAY = 150;

/** Pixels that the dragged mails take beside the pointer. */
const STACK_WIDTH = 220;

const LIST_ACTION = "easycrm_mail.easycrm_email_copy_action_unlinked";

/** The list, the mail, and the dock with the records that it may belong to. */
export class UnlinkedScreen extends Component {
    static template = "easycrm_mail.UnlinkedScreen";
    static components = {Dock, Layout, MailListView, Nothing, ReaderPane, SearchBar};
    static props = {
        domain: Array,
        /** What the search bar groups by, if by anything. */
        groupBy: {type: Array, element: String},
        ignored: Boolean,
        /** Mails that were selected elsewhere. */
        selection: {type: Array, element: Number, optional: true},
    };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.unlinked = useService("easycrm_mail.unlinked");
        this.searchBarToggler = useSearchBarToggler();
        this.root = useRef("root");

        // The services themselves: an answer is wanted though the screen is gone.
        const {orm, notification} = this.env.services;
        this.list = useState(new MailList(orm));
        this.steps = useState(new Steps({orm, notification}, this.list));
        this.suggestions = useState(new Suggestions(orm, this.list));
        this.drag = useState({
            ...{
                isOn: false,
                key: null,
                target: null,
                title: "",
                over: null,
                x: 0,
                y: 0,
            },
        });
        this.state = useState({isReading: false, isSheetOpen: false, by: BY_SENDER});

        onWillStart(() => {
            this.start();
        });
        onWillUpdateProps((props) => {
            if (
                props.ignored !== this.props.ignored ||
                JSON.stringify(props.domain) !== JSON.stringify(this.props.domain)
            ) {
                this.ask(props);
            } else {
                this.follow(props);
            }
        });
        useEffect(
            () => this.suggest(),
            () => [this.targetKey]
        );
        useEffect(
            (size) => this.tellSelection(size),
            () => [this.list.selected.size]
        );
        useEffect(
            (asks) => {
                // The sheet goes with the question that it holds.
                if (this.asked && !asks) {
                    this.state.isSheetOpen = false;
                }
                this.asked = asks;
            },
            () => [Boolean(this.steps.question)]
        );
        this.setupNews();
        useUnlinkedKeys(this);
        this.getTargets = () => [...this.root.el.querySelectorAll("[data-drop]")];
        this.getScroller = () => this.root.el.querySelector(".o_easycrm_dock_scroll");
    }

    // ------------------------------------------------------------------ loading

    async start() {
        const {selection = []} = this.props;
        await this.ask(this.props);
        if (selection.length) {
            const waiting = await this.list.findWaiting(selection);
            waiting.forEach((id) => this.list.selected.set(id, null));
            this.state.isSheetOpen = this.ui.isSmall && waiting.length > 0;
        }
    }

    ask({domain, ignored, groupBy}) {
        this.state.isReading = false;
        return this.list.setQuery(
            {domain, ignored},
            {opens: !this.ui.isSmall, by: groupBy[0] ?? this.state.by}
        );
    }

    /** The list is arranged as the search bar says, else as was chosen above the list. */
    follow({groupBy}) {
        const by = groupBy[0] ?? this.state.by;
        if (by !== this.list.by) {
            this.list.setBy(by, {opens: !this.ui.isSmall});
        }
    }

    arrange(by) {
        const {searchModel} = this.env;
        const facets = searchModel.facets.filter(({type}) => type === "groupBy");
        this.state.by = by;
        facets.forEach(({groupId}) => searchModel.deactivateGroup(groupId));
        this.follow({groupBy: []});
    }

    /** The menu's count and this screen hear of the same news. */
    setupNews() {
        this.unlinked.watch();
        const news = useState(this.unlinked.state);
        const refresh = useThrottled(() => this.list.load(), REFRESH_DELAY);
        let seen = news.changes;
        useEffect(
            (changes) => {
                if (changes !== seen) {
                    seen = changes;
                    refresh();
                }
            },
            () => [news.changes]
        );
    }

    /** Changes when suggestions are to be asked for anew. */
    get targetKey() {
        const {selected} = this.list;
        return selected.size ? [...selected.keys()].join() : this.list.cursor;
    }

    suggest() {
        const delay = this.suggestions.status === "none" ? 0 : SUGGEST_DELAY;
        const timer = browser.setTimeout(
            () => this.suggestions.load(this.list.target),
            delay
        );
        return () => browser.clearTimeout(timer);
    }

    // ------------------------------------------------------------------ words

    get countWords() {
        const {mails, query} = this.list;
        return query.ignored ? ignoredWords(mails) : waitingWords(mails);
    }

    get dragMore() {
        return moreMailsWords(this.drag.target.count);
    }

    /** Beside the pointer, and within the window. */
    get stackStyle() {
        const {x, y} = this.drag;
        return `left: ${Math.min(x, window.innerWidth - STACK_WIDTH)}px; top: ${y}px`;
    }

    get isFiltered() {
        return this.props.domain.length > 0;
    }

    get display() {
        return {controlPanel: {}};
    }

    /** What a step has just said is not talked over. */
    tellSelection(size) {
        const isLast = this.told && this.steps.announcement === this.told;
        if (size || isLast) {
            this.told = selectedSentence(size);
            this.steps.say(this.told);
        }
    }

    // ------------------------------------------------------------------ what is done

    /** @param {boolean} [isThis] the mail that is read, not those that are selected */
    onLinkTo(isThis = false) {
        if (isThis) {
            this.list.clearSelection();
        }
        if (this.ui.isSmall) {
            this.state.isSheetOpen = true;
        } else {
            this.focusDock();
        }
    }

    onHold() {
        this.isOnBackdrop = false;
        this.state.isSheetOpen = true;
    }

    async onLink(card, target = this.list.target) {
        if (!target || !(await this.steps.link(card, target))) {
            return;
        }
        this.suggestions.setWords("");
        this.unlinked.load();
        this.afterStep();
    }

    async onIgnore(target, scope = "these") {
        if (target && (await this.steps.ignore(target, scope))) {
            this.unlinked.load();
            this.afterStep();
        }
    }

    async onBringBack(target) {
        if (target && (await this.steps.bringBack(target))) {
            this.unlinked.load();
            this.afterStep();
        }
    }

    async undo() {
        if (await this.steps.undo()) {
            this.unlinked.load();
        }
    }

    afterStep() {
        if (this.ui.isSmall) {
            this.state.isReading = false;
            // The question is answered where the mail was linked.
            this.state.isSheetOpen = Boolean(this.steps.question);
        } else {
            this.focusList();
        }
    }

    onDrop(key, target) {
        const [model, id] = key.split(",");
        if (!id) {
            return this.onNew(model, target);
        }
        const {suggested, recent, found} = this.suggestions;
        const card = [...suggested, ...recent, ...found].find(
            (other) => other.model === model && other.id === Number(id)
        );
        return card && this.onLink(card, target);
    }

    /** Odoo's own form, filled from the mail; what is saved is linked. */
    async onNew(model, target = this.list.target) {
        if (!target) {
            return;
        }
        try {
            const ids = await this.list.resolve(target);
            const {context} = await this.orm.silent.call(MODEL, "new_record_defaults", [
                ids,
                model,
            ]);
            this.dialog.add(FormViewDialog, {
                resModel: model,
                context,
                title: model === "crm.lead" ? _t("New lead") : _t("New contact"),
                onRecordSaved: ({resId, data}) =>
                    this.onLink(
                        {
                            ...{
                                model,
                                id: resId,
                                detail: "",
                                avatar: null,
                                reasons: [],
                            },
                            kind: kindOf(model, data),
                            name: data.name || data.display_name || "",
                        },
                        {ids, count: ids.length}
                    ),
            });
        } catch (error) {
            this.notification.add(errorWords(error), {type: "danger"});
        }
    }

    /** The finger that has opened the sheet does not close it when it is lifted. */
    onBackdrop(ev) {
        if (this.isOnBackdrop || ev.detail === 0) {
            this.onSheetClosed();
        }
    }

    onSheetClosed() {
        this.isOnBackdrop = false;
        this.state.isSheetOpen = false;
        this.steps.question = null;
        this.suggestions.setWords("");
    }

    openList() {
        this.action.doAction(LIST_ACTION);
    }

    /** For whoever misses an email: what was searched for is looked for. */
    askWhere() {
        const words = this.env.searchModel.facets
            .filter(({type}) => type === "field")
            .flatMap(({values}) => values);
        this.action.doAction(whereAction(words.join(" ")));
    }

    clearFilters() {
        this.env.searchModel.clearQuery();
    }

    showKeys() {
        this.dialog.add(KeysDialog, {});
    }

    // ------------------------------------------------------------------ focus

    focusDock() {
        const input = this.root.el.querySelector(".o_easycrm_dock_input");
        input?.focus();
        input?.select();
    }

    focusList() {
        const {cursor} = this.list;
        const item = [...this.root.el.querySelectorAll("[data-key]")].find(
            ({dataset}) => dataset.key === cursor
        );
        const open = item?.querySelector(".o_easycrm_item_open");
        if (open) {
            open.focus({preventScroll: true});
        } else {
            document.activeElement?.blur();
        }
    }
}

function kindOf(model, data) {
    if (model === "crm.lead") {
        return data.type === "opportunity" ? "opportunity" : "lead";
    }
    return data.is_company ? "company" : "contact";
}
