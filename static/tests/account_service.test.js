import {describe, expect, test} from "@odoo/hoot";
import {advanceTime} from "@odoo/hoot-mock";

import {allowTranslations} from "@web/../tests/web_test_helpers";

import {accountService} from "@easycrm_mail/sync/account_service";

describe.current.tags("headless");

/** The service among services that only tell what was asked of them, and the mailbox's news. */
function startService() {
    allowTranslations();
    let send;
    const notices = [];
    const account = accountService.start(null, {
        action: {doAction: (action) => expect.step(action)},
        bus_service: {
            subscribe: (type, callback) => (send = callback),
            start: () => null,
        },
        notification: {
            add(message, options) {
                const notice = {message, ...options};
                notices.push(notice);
                return () => {
                    notices.splice(notices.indexOf(notice), 1);
                    options.onClose?.();
                };
            },
        },
        orm: {call: (model, method, [[id]]) => expect.step(`${method} ${id}`)},
    });
    account.bus.addEventListener("news", ({detail}) => expect.step(detail.event));
    return {
        account,
        notices,
        send: (event, values) => send({account_id: 7, event, ...values}),
    };
}

function messages(notices) {
    return notices.map(({message, type}) => `${type}: ${message}`);
}

test("a failing mailbox has one notice, which goes when it works again", () => {
    const {notices, send} = startService();
    send("failed", {title: "Failed", message: "No answer", primary: "retry"});
    send("failed", {title: "Failed", message: "No password", primary: "reconnect"});
    send("failed", {account_id: 8, title: "Failed", message: "Another mailbox"});
    send("progress");
    expect(messages(notices)).toEqual([
        "danger: No password",
        "danger: Another mailbox",
    ]);
    expect(notices.map(({buttons}) => buttons.map(({name}) => String(name)))).toEqual([
        ["Reconnect"],
        [],
    ]);
    send("recovered", {title: "Works again", message: "mira@tallwood.example"});
    expect(messages(notices)).toEqual([
        "danger: Another mailbox",
        "success: mira@tallwood.example",
    ]);
    expect.verifySteps(["failed", "failed", "failed", "progress", "recovered"]);
});

test("a mailbox is being tried again until there is news, or for a while", async () => {
    const {account, notices, send} = startService();
    send("failed", {title: "Failed", message: "No answer", primary: "retry"});
    await account.retry(7);
    expect(notices).toEqual([]);
    send("progress");
    expect(7 in account.retrying).toBe(true);
    send("failed", {title: "Failed", message: "No answer", primary: "retry"});
    expect(7 in account.retrying).toBe(false);
    await notices[0].buttons[0].onClick();
    expect(messages(notices)).toEqual([
        "info: Trying again now. What was missing comes in by itself.",
    ]);
    await advanceTime(19000);
    expect(7 in account.retrying).toBe(true);
    await advanceTime(2000);
    expect(7 in account.retrying).toBe(false);
    expect.verifySteps([
        ...["failed", "action_sync_now 7", "progress", "failed", "action_sync_now 7"],
    ]);
});
