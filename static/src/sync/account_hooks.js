import {useBus, useService} from "@web/core/utils/hooks";
import {useThrottled} from "./throttle";

/**
 * Calls back on what happens to the user's mailboxes while the component is mounted: at once, then no more often than
 * every `delay`, and once at the end for all that came in between.
 *
 * @param {number} delay milliseconds
 * @param {(news: import("./account_service").AccountEvent) => boolean} isWanted
 * @param {Function} callback
 */
export function useAccountEvents(delay, isWanted, callback) {
    const run = useThrottled(callback, delay);
    useBus(
        useService("easycrm_mail.account").bus,
        "news",
        ({detail: news}) => isWanted(news) && run()
    );
}
