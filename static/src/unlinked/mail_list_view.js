import {
    Component,
    onPatched,
    onWillPatch,
    onWillRender,
    onWillUnmount,
    reactive,
    useEffect,
    useRef,
    useState,
} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {useVirtualGrid} from "@web/core/virtual_grid_hook";
import {formatInteger} from "@web/views/fields/formatters";
import {personHue, personInitial} from "../timeline/timeline_words";
import {IgnoreMenu} from "./ignore_menu";
import {useMailDrag} from "./mail_drag";
import {HEIGHTS} from "./mail_items";
import {TimeWords} from "./time_words";
import {
    ARRANGEMENTS,
    arrangementWords,
    groupIcon,
    looksAutomatic,
    moreWords,
    selectedWords,
    subjectOf,
} from "./unlinked_words";

/** Items before the end of the list at which more are asked for: of who has begun to scroll, and before. */
const LOAD_AHEAD = 60;
const LOAD_SOON = 12;
/** Items that come and go together: to draw costs more than to draw some more. */
const STRIDE = 8;
/** Items of a group that come into sight when it is opened: its first mails, and that there are more. */
const REVEALED = 6;
/** Milliseconds of a finger's rest that select a mail, and how far it may stray. */
const HOLD_DELAY = 450;
const HOLD_TOLERANCE = 10;

/** The mail that waits, by sender or one after the other: only what is in sight is drawn. */
export class MailListView extends Component {
    static template = "easycrm_mail.MailListView";
    static components = {Dropdown, DropdownItem, IgnoreMenu};
    static props = {
        list: Object,
        drag: Object,
        onOpen: Function,
        onLinkTo: Function,
        onIgnore: Function,
        onBringBack: Function,
        onHold: Function,
        onKeys: Function,
        onArrange: Function,
        getTargets: Function,
        getScroller: Function,
        onDrop: Function,
    };

    setup() {
        this.ui = useService("ui");
        this.list = useState(this.props.list);
        this.drag = useState(this.props.drag);
        this.root = useRef("root");
        this.scroller = useRef("scroller");
        this.subjectOf = subjectOf;
        this.personHue = personHue;
        this.personInitial = personInitial;
        this.looksAutomatic = looksAutomatic;
        this.moreWords = moreWords;
        this.arrangements = ARRANGEMENTS;
        this.setupGrid();
        this.setupDrag();
        useEffect(
            () => this.turnToCursor(),
            () => [this.list.cursor, this.countBelowCursor()]
        );
        onWillUnmount(() => this.endHold());
    }

    // ------------------------------------------------------------------ what is drawn

    setupGrid() {
        this.times = new TimeWords();
        this.items = [];
        this.offsets = [];
        /** @type {[number, number]} the range that was drawn last */
        this.drawn = [0, 0];
        this.grid = useVirtualGrid({
            scrollableRef: this.scroller,
            onChange: () => {
                this.lookAhead();
                const [start, end] = this.range;
                if (start !== this.drawn[0] || end !== this.drawn[1]) {
                    this.render();
                }
            },
        });
        // Laid out anew when the list has changed, not whenever it is scrolled: it may be long.
        let isStale = true;
        const source = reactive(this.props.list, () => {
            isStale = true;
            this.render();
        });
        let shift = 0;
        let hadFocus = false;
        onWillPatch(() => {
            hadFocus = this.scroller.el.contains(document.activeElement);
        });
        onWillRender(() => {
            this.selectedByGroup = this.list.selectedByGroup;
            this.times.keepUp();
            if (!isStale) {
                return;
            }
            isStale = false;
            const before = {items: this.items, offsets: this.offsets};
            this.layOut(source.items);
            shift += this.shiftSince(before);
        });
        onPatched(() => {
            // What the reader looks at stays where it is, whatever has come above.
            if (shift) {
                this.scroller.el.scrollTop += shift;
                shift = 0;
            }
            // What is moved loses the focus.
            if (hadFocus && document.activeElement === document.body) {
                this.focusCursor();
            }
        });
        useEffect(
            () => this.lookAhead(),
            () => [this.list.status, this.items]
        );
    }

    layOut(items) {
        this.items = items;
        const heights = this.items.map(({type}) => HEIGHTS[type]);
        let offset = 0;
        this.offsets = heights.map((height) => (offset += height) - height);
        this.height = offset;
        this.grid.setRowsHeights(heights);
    }

    shiftSince({items, offsets}) {
        const top = this.scroller.el?.scrollTop;
        if (!top || items === this.items) {
            return 0;
        }
        const keys = new Map(this.items.map(({key}, index) => [key, index]));
        for (let index = 0; index < items.length; index++) {
            if (offsets[index] >= top && keys.has(items[index].key)) {
                return this.offsets[keys.get(items[index].key)] - offsets[index];
            }
        }
        return 0;
    }

    /** @returns {[number, number]} from which item to before which the list is drawn: what is in sight, and around it */
    get range() {
        const [start = 0, end = -1] = this.grid.rowsIndexes || [];
        return [
            start - (start % STRIDE),
            Math.min(end + STRIDE - (end % STRIDE), this.items.length),
        ];
    }

    /** These items, each with its place. */
    get shown() {
        const [start, end] = (this.drawn = this.range);
        return this.items
            .slice(start, end)
            .map((item, index) => ({...item, top: this.offsets[start + index]}));
    }

    lookAhead() {
        const [start, end] = this.range;
        const last = this.items.at(-1);
        this.list.lookAt(this.items.slice(start, end).map(({key}) => key));
        const ahead = start ? LOAD_AHEAD : LOAD_SOON;
        if (this.list.status !== "ready" || end < this.items.length - ahead) {
            return;
        }
        if (
            this.list.more === "idle" &&
            (this.list.isGrouped || last?.status === "idle")
        ) {
            this.list.loadMore();
        }
    }

    // ------------------------------------------------------------------ words

    time(utc) {
        return this.times.get(utc).short;
    }

    fullTime(utc) {
        return this.times.get(utc).full;
    }

    get selectedWords() {
        return selectedWords(this.list.selected.size, this.list.mails);
    }

    get arrangement() {
        return arrangementWords(this.list.by);
    }

    count(number) {
        return formatInteger(number);
    }

    /** Beside its letter or sign: whom it is from, or the newest of it. */
    detailOf(group) {
        return this.list.isBySender
            ? group.address
            : [group.name || group.address, subjectOf(group)]
                  .filter(Boolean)
                  .join(": ");
    }

    get groupIcon() {
        return groupIcon(this.list.by);
    }

    senderOf(row) {
        return row.from_name || row.from_address || _t("Unknown sender");
    }

    selectTitle(words) {
        return _t("Select “%s”", words);
    }

    selectionOf(group) {
        return this.list.groupSelection(group, this.selectedByGroup);
    }

    isDraggedAlong({type, row, key}) {
        return (
            this.drag.isOn &&
            (this.drag.key === key ||
                (type === "mail" && Boolean(this.drag.target?.ids?.includes(row.id))))
        );
    }

    // ------------------------------------------------------------------ pointer

    onMail(ev, item) {
        if (this.isHeld) {
            this.isHeld = false;
            return;
        }
        if (ev.shiftKey) {
            this.list.selectTo(item.key);
        } else if (
            ev.ctrlKey ||
            ev.metaKey ||
            (this.ui.isSmall && this.list.selected.size)
        ) {
            this.list.toggle(item.row);
        } else {
            this.list.cursor = item.key;
            this.props.onOpen();
        }
    }

    onCheck(ev, item) {
        if (ev.shiftKey) {
            this.list.selectTo(item.key);
        } else {
            this.list.toggle(item.row);
        }
    }

    onGroup(item) {
        this.list.cursor = item.key;
        this.list.toggleGroup(item.group.key);
    }

    /** A finger that rests on a mail selects it, and what it can be linked to comes from below. */
    startHold(ev, item) {
        if (ev.pointerType !== "touch" || !this.ui.isSmall) {
            return;
        }
        this.endHold();
        this.holdAt = {x: ev.clientX, y: ev.clientY};
        this.holdTimer = browser.setTimeout(() => {
            this.isHeld = true;
            this.list.select(item.row);
            this.props.onHold();
        }, HOLD_DELAY);
    }

    moveHold({clientX, clientY}) {
        const {x, y} = this.holdAt || {};
        if (Math.hypot(clientX - x, clientY - y) > HOLD_TOLERANCE) {
            this.endHold();
        }
    }

    endHold() {
        browser.clearTimeout(this.holdTimer);
        this.holdAt = null;
    }

    setupDrag() {
        const {drag, list} = this;
        useMailDrag({
            ref: this.root,
            elements: ".o_easycrm_draggable",
            enable: () => !this.ui.isSmall,
            getTargets: this.props.getTargets,
            getScroller: this.props.getScroller,
            onStart: (element) => {
                const item = this.items.find(({key}) => key === element.dataset.key);
                const target = list.dragTarget(item);
                Object.assign(drag, {isOn: true, key: item.key, target});
                drag.title =
                    item.type === "group" ? item.group.label : subjectOf(item.row);
            },
            onMove: ({x, y, over}) =>
                Object.assign(drag, {x, y, over: over?.dataset.drop || null}),
            onDrop: (over) => over && this.props.onDrop(over.dataset.drop, drag.target),
            onEnd: () =>
                Object.assign(drag, {isOn: false, key: null, over: null, target: null}),
        });
    }

    // ------------------------------------------------------------------ keyboard

    /** The item that the reader stands on is in sight, and has the focus where the list has it. */
    turnToCursor() {
        const index = this.items.findIndex(({key}) => key === this.list.cursor);
        const scroller = this.scroller.el;
        if (index < 0 || !scroller) {
            return;
        }
        const top = this.offsets[index];
        const last = index + this.countBelowCursor();
        const bottom = this.offsets[last] + HEIGHTS[this.items[last].type];
        if (top < scroller.scrollTop) {
            scroller.scrollTop = top;
        } else if (bottom > scroller.scrollTop + scroller.clientHeight) {
            scroller.scrollTop = bottom - scroller.clientHeight;
        }
        const active = document.activeElement;
        if (
            !this.ui.isSmall &&
            (active === document.body || scroller.contains(active))
        ) {
            this.focusCursor();
        }
    }

    /** A group that is opened brings its first mails into sight. */
    countBelowCursor() {
        const index = this.items.findIndex(({key}) => key === this.list.cursor);
        const item = this.items[index];
        if (item?.type !== "group") {
            return 0;
        }
        const below = this.items.slice(index + 1, index + 1 + REVEALED);
        return below.filter(
            ({type, group}) => type !== "group" && group.key === item.group.key
        ).length;
    }

    focusCursor() {
        const {cursor} = this.list;
        const item = [...this.scroller.el.querySelectorAll("[data-key]")].find(
            ({dataset}) => dataset.key === cursor
        );
        item?.querySelector(".o_easycrm_item_open")?.focus({preventScroll: true});
    }
}
