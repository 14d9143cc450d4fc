import {useEffect} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {useThrottled} from "../sync/throttle";

const TIMELINE = "easycrm_mail.timeline";

/** Milliseconds between two looks at what is new. */
const REFRESH_DELAY = 2000;

/**
 * Calls back when the server says that a record's mail has changed. What has changed
 * is not told, it has to be asked for.
 *
 * @param {() => {resModel: string, resId: number}} getRecord
 * @param {Function} callback
 */
export function useTimelinePings(getRecord, callback) {
    const bus = useService("bus_service");
    const look = useThrottled(callback, REFRESH_DELAY);
    const onPing = ({model, id}) => {
        const {resModel, resId} = getRecord();
        if (model === resModel && id === resId) {
            look();
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
}
