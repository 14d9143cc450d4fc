import {onWillDestroy} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {ConnectionLostError, RPCError} from "@web/core/network/rpc";

/**
 * Calls back every so often, as long as that is wanted and the tab is to be seen. The next call waits for the one
 * before; one that fails is as good as none.
 *
 * @param {Function} callback
 * @param {Function} getDelay milliseconds to the next call; nothing: no more, until `start` is called
 * @returns {{start: Function}}
 */
export function usePolling(callback, getDelay) {
    let timer = null;
    let isOver = false;

    function start() {
        browser.clearTimeout(timer);
        timer = null;
        const delay = getDelay();
        if (!isOver && delay && document.visibilityState === "visible") {
            timer = browser.setTimeout(run, delay);
        }
    }

    async function run() {
        timer = null;
        try {
            await callback();
        } catch (error) {
            if (!(error instanceof RPCError || error instanceof ConnectionLostError)) {
                throw error;
            }
        } finally {
            start();
        }
    }

    function onVisibility() {
        if (document.visibilityState === "visible" && getDelay() && !timer) {
            run();
        }
    }

    document.addEventListener("visibilitychange", onVisibility);
    // (a form that is drawn anew may drop a widget that it has never shown: that one is not unmounted, only destroyed)
    onWillDestroy(() => {
        isOver = true;
        browser.clearTimeout(timer);
        document.removeEventListener("visibilitychange", onVisibility);
    });
    return {start};
}
