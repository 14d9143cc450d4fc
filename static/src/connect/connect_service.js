import {browser} from "@web/core/browser/browser";
import {rpcBus} from "@web/core/network/rpc";
import {registry} from "@web/core/registry";
import {ConnectDialog} from "./connect_dialog";

/** Which mailbox the browser has left to sign in to, at Google or Microsoft. */
const AWAY = "easycrm_mail.connect";

/**
 * Opens the window in which a mailbox is connected, also when the browser comes back from signing in.
 */
export const connectService = {
    dependencies: ["action", "dialog"],

    start(env, {action, dialog}) {
        let isOpen = false;

        /**
         * @param {Object} [params]
         * @param {number} [params.accountId] a mailbox to go on with
         * @param {string} [params.provider] a service to begin with
         * @param {boolean} [params.isBack] the browser comes from signing in
         */
        function open({accountId, provider, isBack} = {}) {
            if (isOpen) {
                return;
            }
            isOpen = true;
            dialog.add(
                ConnectDialog,
                {
                    accountId: accountId || false,
                    provider: provider || "",
                    isBack: Boolean(isBack),
                    onAway: (id) => browser.sessionStorage.setItem(AWAY, id),
                    onChanged: async () => {
                        await action.doAction({
                            type: "ir.actions.client",
                            tag: "soft_reload",
                        });
                        // (who has a mailbox finds another way to write in the next menu of actions; asked for
                        // before, it would keep the page from being there again for as long as that takes)
                        rpcBus.trigger("CLEAR-CACHES", "get_views");
                    },
                },
                {onClose: () => (isOpen = false)}
            );
        }

        // (what is shown first closes all windows that are open by then)
        env.bus.addEventListener(
            "ACTION_MANAGER:UI-UPDATED",
            () => {
                const accountId = Number(browser.sessionStorage.getItem(AWAY));
                browser.sessionStorage.removeItem(AWAY);
                if (accountId) {
                    open({accountId, isBack: true});
                }
            },
            {once: true}
        );
        return {open};
    },
};

registry.category("services").add("easycrm_mail.connect", connectService);

registry.category("actions").add("easycrm_mail.connect", (env, {params = {}}) => {
    env.services["easycrm_mail.connect"].open({accountId: params.account_id});
});
