import {makeDraggableHook} from "@web/core/utils/draggable_hook_builder_owl";
import {setRecurringAnimationFrame} from "@web/core/utils/timing";

/** Pixels from the dock's edge where it begins to scroll, and how far it goes a frame. */
const SCROLL_EDGE = 48;
const SCROLL_STEP = 9;

/** Drags a row without moving it: what follows the pointer is drawn by the screen. */
const useRowDrag = makeDraggableHook({
    name: "useRowDrag",
    onWillStartDrag: ({ctx}) => {
        ctx.followCursor = false;
        return {element: ctx.current.element};
    },
    onDragStart: ({ctx}) => ({element: ctx.current.element}),
    onDrag: ({ctx}) => ({element: ctx.current.element}),
    onDragEnd: ({ctx}) => ({element: ctx.current.element}),
    onDrop: ({ctx}) => ({element: ctx.current.element}),
});

/**
 * Mails are dragged from the list onto a record.
 *
 * @param {Object} params
 * @param {{el: HTMLElement}} params.ref the list
 * @param {string} params.elements
 * @param {() => boolean} params.enable
 * @param {() => HTMLElement[]} params.getTargets what can be dropped on
 * @param {() => HTMLElement|null} params.getScroller what holds them, and scrolls at its edges
 * @param {(element: HTMLElement) => void} params.onStart
 * @param {(at: {x: number, y: number, over: HTMLElement|null}) => void} params.onMove
 * @param {(over: HTMLElement|null) => void} params.onDrop
 * @param {() => void} params.onEnd in any case, also after Esc
 */
export function useMailDrag(params) {
    const {ref, elements, enable, getTargets, getScroller} = params;
    const pointer = {x: 0, y: 0};
    let stopScrolling = null;

    function findTarget({x, y}) {
        const frame = getScroller()?.getBoundingClientRect();
        if (!frame || !isWithin(frame, x, y)) {
            return null;
        }
        return (
            getTargets().find((el) => isWithin(el.getBoundingClientRect(), x, y)) ||
            null
        );
    }

    function scrollAtEdges() {
        const scroller = getScroller();
        const frame = scroller?.getBoundingClientRect();
        if (!frame || !isWithin(frame, pointer.x, pointer.y)) {
            return;
        }
        if (pointer.y < frame.top + SCROLL_EDGE) {
            scroller.scrollTop -= SCROLL_STEP;
        } else if (pointer.y > frame.bottom - SCROLL_EDGE) {
            scroller.scrollTop += SCROLL_STEP;
        }
    }

    return useRowDrag({
        ...{ref, elements, enable},
        edgeScrolling: {enabled: false},
        ignore: "input, a",
        onDragStart: ({element, x, y}) => {
            params.onStart(element);
            Object.assign(pointer, {x, y});
            params.onMove({x, y, over: findTarget(pointer)});
            stopScrolling = setRecurringAnimationFrame(scrollAtEdges);
        },
        onDrag: ({x, y}) => {
            Object.assign(pointer, {x, y});
            params.onMove({x, y, over: findTarget(pointer)});
        },
        onDrop: ({x, y}) => params.onDrop(findTarget({x, y})),
        onDragEnd: () => {
            stopScrolling?.();
            stopScrolling = null;
            params.onEnd();
        },
    });
}

function isWithin({top, bottom, left, right}, x, y) {
    return x >= left && x <= right && y >= top && y <= bottom;
}
