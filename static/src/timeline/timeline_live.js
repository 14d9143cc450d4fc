import {onWillUnmount, useEffect} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {useService} from "@web/core/utils/hooks";

const TIMELINE = "easycrm_mail.timeline";

/** Milliseconds between two looks at what is new. */
const REFRESH_DELAY = 2000;

/**
 * Calls back when the server says that a record's mail has changed: at once, then no more often than every two seconds,
 * and once more for what came in between. What has changed is not told, it has to be asked for.
 *
 * @param {() => {resModel: string, resId: number}} getRecord
 * @param {Function} callback
 */
export function useTimelinePings(getRecord, callback) {
    const bus = useService("bus_service");
    let timer = null;
    let isMissed = false;
    const run = () => {
        isMissed = false;
        timer = browser.setTimeout(() => {
            timer = null;
            if (isMissed) {
                run();
            }
        }, REFRESH_DELAY);
        callback();
    };
    const onPing = ({model, id}) => {
        const {resModel, resId} = getRecord();
        if (model !== resModel || id !== resId) {
            return;
        }
        if (timer) {
            isMissed = true;
        } else {
            run();
        }
    };
    useEffect(
        (resModel, resId) => {
            const channel = `${TIMELINE}/${resModel}/${resId}`;
            bus.addChannel(channel);
            bus.subscribe(TIMELINE, onPing);
            return () => {
                bus.unsubscribe(TIMELINE, onPing);
                bus.deleteChannel(channel);
            };
        },
        () => {
            const {resModel, resId} = getRecord();
            return [resModel, resId];
        }
    );
    onWillUnmount(() => browser.clearTimeout(timer));
}
