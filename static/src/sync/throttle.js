import {onWillDestroy} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";

/**
 * A function that calls back at once, then no more often than every `delay`, and once
 * at the end for all that came in between; never after the component is gone.
 *
 * @param {Function} callback
 * @param {number} delay milliseconds
 * @returns {Function}
 */
export function useThrottled(callback, delay) {
    let timer = null;
    let isMissed = false;
    const run = () => {
        isMissed = false;
        timer = browser.setTimeout(() => {
            timer = null;
            if (isMissed) {
                run();
            }
        }, delay);
        callback();
    };
    onWillDestroy(() => browser.clearTimeout(timer));
    return () => {
        if (timer) {
            isMissed = true;
        } else {
            run();
        }
    };
}
