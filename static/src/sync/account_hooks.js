import {onWillUnmount} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {useBus, useService} from "@web/core/utils/hooks";

/**
 * Calls back on what happens to the user's mailboxes while the component is mounted: at once, then no more often than
 * every `delay`, and once at the end for all that came in between.
 *
 * @param {number} delay milliseconds
 * @param {(news: import("./account_service").AccountEvent) => boolean} isWanted
 * @param {Function} callback
 */
export function useAccountEvents(delay, isWanted, callback) {
    let timer, isMissed;
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
    useBus(useService("easycrm_mail.account").bus, "news", ({detail: news}) => {
        if (!isWanted(news)) {
            return;
        }
        if (timer) {
            isMissed = true;
        } else {
            run();
        }
    });
    onWillUnmount(() => browser.clearTimeout(timer));
}
