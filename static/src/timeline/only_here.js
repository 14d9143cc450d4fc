import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {useUndoToast} from "./undo_toast";

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
    const undoToast = useUndoToast();

    async function widen(threadId) {
        await orm.call("crm.lead", "easycrm_undo_only_here", [threadId]);
        await reload();
    }

    async function narrow({id, name}, threadId) {
        await orm.call("crm.lead", "easycrm_only_here", [[id]], {thread_id: threadId});
        await reload();
        undoToast(_t("This conversation stands on %s only.", name), () =>
            widen(threadId)
        );
    }

    return {narrow, widen};
}
