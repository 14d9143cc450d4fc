import {EventBus, reactive} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {formatList} from "@web/core/l10n/utils";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {TimeLeft} from "./time_left";

const ACCOUNT = "easycrm.email.account";
const NOTIFICATION = "easycrm_mail.account";

/** Milliseconds: how long a new try is waited for. */
const RETRY_PATIENCE = 20000;

/** Mailboxes that a notice of several names; of more, one less and how many others. */
const NAMED = 4;

/**
 * @typedef {Object} AccountEvent
 * @property {number} account_id
 * @property {"progress"|"synced"|"failed"|"recovered"} event
 * @property {string} [title]
 * @property {string} [message]
 * @property {string} [email] the address of the mailbox, of a failure
 * @property {"reconnect"|"retry"} [primary] the next step after a failure
 * @property {number} [done] emails that are read, of `total`
 * @property {number} [total]
 */

/**
 * How the user's mailboxes are doing, as the server tells it while it happens: one notice of those that fail, gone when
 * they work again. Components listen by {@link import("./account_hooks").useAccountEvents}.
 */
export const accountService = {
    dependencies: ["action", "bus_service", "notification", "orm"],

    start(env, {action, bus_service: serverBus, notification, orm}) {
        const bus = new EventBus();
        /** @type {Map<number, AccountEvent>} the failures that the notice tells of */
        const failures = new Map();
        /** @type {Function|null} what closes the notice */
        let close = null;
        /** @type {Object<number, number>} timers of the mailboxes that are being tried again */
        const retrying = reactive({});
        /** @type {Object<number, {done: number, total: number, left: TimeLeft}>} mailboxes that are being read */
        const reading = reactive({});

        /** Tells anew which mailboxes fail. */
        function showNotice() {
            const closeOld = close;
            close = null;
            closeOld?.();
            if (!failures.size) {
                return;
            }
            const {message, ...words} =
                failures.size === 1 ? getWords() : getWordsOfSeveral();
            const closeThis = notification.add(message, {
                ...{...words, type: "danger", sticky: true},
                onClose: () => {
                    // (the user has closed it: he knows of these)
                    if (close === closeThis) {
                        close = null;
                        failures.clear();
                    }
                },
            });
            close = closeThis;
        }

        function getWords() {
            const [news] = failures.values();
            const {title, message = ""} = news;
            return {message, title, buttons: getButtons(news)};
        }

        function getWordsOfSeveral() {
            const emails = [...failures.values()].map(({email}) => email);
            const isLong = emails.length > NAMED;
            const names = emails.slice(0, isLong ? NAMED - 1 : NAMED);
            if (isLong) {
                // (never one: its name is no longer than that)
                names.push(_t("%s others", emails.length - names.length));
            }
            const title = _t(
                "Email sync failed for %s mailboxes. Please check your connection",
                emails.length
            );
            const openAccounts = () =>
                action.doAction("easycrm_mail.easycrm_email_account_action_my");
            return {
                message: formatList(names),
                title,
                buttons: [
                    {
                        name: _t("My Mail Accounts"),
                        primary: true,
                        onClick: openAccounts,
                    },
                ],
            };
        }

        function endNotice(accountId) {
            if (failures.delete(accountId)) {
                showNotice();
            }
        }

        function endRetry(accountId) {
            browser.clearTimeout(retrying[accountId]);
            delete retrying[accountId];
        }

        function noteProgress(accountId, {event, done, total}) {
            if (event !== "progress") {
                delete reading[accountId];
            } else if (total) {
                const left = reading[accountId]?.left || new TimeLeft();
                left.add(done, total, Date.now());
                reading[accountId] = {done, total, left};
            }
        }

        /**
         * How long the longest of these first readings still takes.
         *
         * @param {number[]} [accountIds] all of them by default
         * @returns {number|null} milliseconds, null when it is not known
         */
        function getTimeLeft(accountIds = Object.keys(reading)) {
            const known = accountIds
                .map((accountId) => reading[accountId]?.left.at(Date.now()) ?? null)
                .filter((left) => left !== null);
            return known.length ? Math.max(...known) : null;
        }

        async function reconnect(accountId, options) {
            endNotice(accountId);
            const form = await orm.call(ACCOUNT, "action_reconnect", [[accountId]]);
            if (form) {
                await action.doAction(form, options);
            }
        }

        async function retry(accountId) {
            endNotice(accountId);
            endRetry(accountId);
            retrying[accountId] = browser.setTimeout(
                () => endRetry(accountId),
                RETRY_PATIENCE
            );
            try {
                await orm.call(ACCOUNT, "action_sync_now", [[accountId]]);
            } catch (error) {
                endRetry(accountId);
                throw error;
            }
        }

        async function retryFromNotice(accountId) {
            await retry(accountId);
            notification.add(
                _t("Trying again now. What was missing comes in by itself."),
                {
                    type: "info",
                }
            );
        }

        function getButtons({account_id: accountId, primary}) {
            switch (primary) {
                case "reconnect":
                    return [
                        {
                            name: _t("Reconnect"),
                            primary: true,
                            onClick: () => reconnect(accountId),
                        },
                    ];
                case "retry":
                    return [
                        {
                            name: _t("Try again"),
                            primary: true,
                            onClick: () => retryFromNotice(accountId),
                        },
                    ];
            }
            return [];
        }

        /** @param {AccountEvent} news */
        function onNews(news) {
            const {account_id: accountId, event, title, message = ""} = news;
            if (event !== "progress") {
                endRetry(accountId);
            }
            if (event === "failed") {
                failures.set(accountId, news);
                showNotice();
            } else if (event !== "progress") {
                endNotice(accountId);
            }
            if (event === "recovered" && (title || message)) {
                notification.add(message, {title, type: "success"});
            }
            noteProgress(accountId, news);
            bus.trigger("news", news);
        }

        serverBus.subscribe(NOTIFICATION, onNews);
        serverBus.start();
        return {bus, getTimeLeft, onNews, reading, retrying, reconnect, retry};
    },
};

registry.category("services").add("easycrm_mail.account", accountService);
