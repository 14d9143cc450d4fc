import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

/** How long a toast offers the way back. */
export const UNDO_DELAY = 10000;

/**
 * Says what was done at once, with the way back in the toast.
 *
 * @returns {(words: string, undo: () => Promise<void>, type?: string) => void}
 */
export function useUndoToast() {
    const notification = useService("notification");
    return function undoToast(words, undo, type = "success") {
        const close = notification.add(words, {
            type,
            autocloseDelay: UNDO_DELAY,
            buttons: [
                {
                    name: _t("Undo"),
                    onClick: () => {
                        close();
                        return undo();
                    },
                },
            ],
        });
    };
}
