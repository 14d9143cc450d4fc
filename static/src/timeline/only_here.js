import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {UNDO_DELAY} from "./timeline_model";

/** By kind of lead. */
export const ONLY_HERE = {
    lead: _t("Only this lead"),
    opportunity: _t("Only this opportunity"),
};

/**
 * Lets a conversation, and what still comes of it, stand on one lead only, or everywhere again; at once, with the way
 * back in the toast.
 *
 * @param {() => Promise<void>} reload called after each of it
 */
export function useOnlyHere(reload) {
    const orm = useService("orm");
    const notification = useService("notification");

    async function widen(threadId) {
        await orm.call("crm.lead", "easycrm_undo_only_here", [threadId]);
        await reload();
    }

    async function narrow({id, name}, threadId) {
        await orm.call("crm.lead", "easycrm_only_here", [[id]], {thread_id: threadId});
        await reload();
        const close = notification.add(
            _t("This conversation stands on %s only.", name),
            {
                type: "success",
                autocloseDelay: UNDO_DELAY,
                buttons: [
                    {
                        name: _t("Undo"),
                        onClick: () => {
                            close();
                            return widen(threadId);
                        },
                    },
                ],
            }
        );
    }

    return {narrow, widen};
}
