import {onPatched} from "@odoo/owl";

/**
 * For what takes away the button that was pressed: what comes in its place takes the focus once it is drawn, so that
 * the keyboard goes on from there.
 *
 * @param {{el: HTMLElement}} root the component's own element
 * @returns {(...selectors: string[]) => void} the first of them that is found takes the focus
 */
export function useFocusNext(root) {
    let wanted = [];
    onPatched(() => {
        const selectors = wanted;
        wanted = [];
        for (const selector of selectors) {
            const el = root.el.querySelector(selector);
            if (el) {
                el.focus();
                return;
            }
        }
    });
    return (...selectors) => {
        wanted = selectors;
    };
}
