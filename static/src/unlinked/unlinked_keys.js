import {useHotkey} from "@web/core/hotkeys/hotkey_hook";

/**
 * Single keys of the screen, also when nothing has the focus; never while typing.
 *
 * @param {import("./unlinked_screen").UnlinkedScreen} screen
 */
export function useUnlinkedKeys(screen) {
    const {list, state} = screen;
    const area = () =>
        document.activeElement === document.body ? document.body : screen.root.el;
    const add = (key, callback, options = {}) =>
        useHotkey(key, callback, {area, ...options});
    const inList = {
        isAvailable: (target) =>
            target === document.body ||
            Boolean(target.closest?.(".o_easycrm_list_scroll")),
    };
    const repeat = {allowRepeat: true};

    function move(step) {
        list.moveCursor(step);
        screen.focusList();
    }

    /** Selects what one goes over. */
    function extend(step) {
        list.anchor ||= list.cursor;
        move(step);
        list.selectTo(list.cursor);
    }

    function openGroup(isOpen) {
        const item = list.cursorItem;
        if (item?.group && list.opened.has(item.group.key) !== isOpen) {
            list.toggleGroup(item.group.key);
        }
    }

    function toggleSelection() {
        const item = list.cursorItem;
        if (item?.type === "mail") {
            list.toggle(item.row);
        } else if (item?.type === "group") {
            list.toggleGroupSelection(item.group);
        }
    }

    function ignore() {
        return list.query.ignored
            ? screen.onBringBack(list.target)
            : screen.onIgnore(list.target);
    }

    function escape() {
        if (state.isSheetOpen) {
            screen.onSheetClosed();
        } else if (list.selected.size) {
            list.clearSelection();
        } else if (state.isReading && screen.ui.isSmall) {
            state.isReading = false;
        } else {
            screen.focusList();
        }
    }

    add("j", () => move(1), repeat);
    add("k", () => move(-1), repeat);
    add("arrowdown", () => move(1), {...repeat, ...inList});
    add("arrowup", () => move(-1), {...repeat, ...inList});
    add("shift+j", () => extend(1), repeat);
    add("shift+k", () => extend(-1), repeat);
    add("arrowright", () => openGroup(true), inList);
    add("arrowleft", () => openGroup(false), inList);
    add("x", toggleSelection);
    add("l", () => list.target && screen.onLinkTo());
    add("n", () => screen.onNew("res.partner"));
    add("d", () => screen.onNew("crm.lead"));
    add("i", ignore);
    add("z", () => screen.undo());
    add("h", () => screen.showKeys());
    add("escape", escape);
}
