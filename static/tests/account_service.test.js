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
                notice.close = () => {
                    notices.splice(notices.indexOf(notice), 1);
                    options.onClose?.();
                };
                notices.push(notice);
                return notice.close;
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

function titles(notices) {
    return notices.map(({title}) => String(title));
}

function buttons(notices) {
    return notices.map((notice) => notice.buttons.map(({name}) => String(name)));
}

test("a failing mailbox has one notice, which goes when it works again", () => {
    const {notices, send} = startService();
    send("failed", {title: "Failed", message: "No answer", primary: "retry"});
    send("failed", {title: "Failed", message: "No password", primary: "reconnect"});
    send("progress");
    expect(messages(notices)).toEqual(["danger: No password"]);
    expect(buttons(notices)).toEqual([["Reconnect"]]);
    send("recovered", {title: "Works again", message: "mira@tallwood.example"});
    expect(messages(notices)).toEqual(["success: mira@tallwood.example"]);
    expect.verifySteps(["failed", "failed", "progress", "recovered"]);
});

test("several failing mailboxes have one notice, which counts them", () => {
    const {notices, send} = startService();
    const fail = (number) =>
        send("failed", {
            ...{account_id: number, title: "Failed", message: `Reason ${number}`},
            ...{email: `${number}@tallwood.example`, primary: "retry"},
        });
    [1, 2, 2, 3, 4].forEach(fail);
    expect(messages(notices)).toEqual([
        "danger: 1@tallwood.example, 2@tallwood.example, 3@tallwood.example, and 4@tallwood.example",
    ]);
    fail(5);
    expect(titles(notices)).toEqual([
        "Email sync failed for 5 mailboxes. Please check your connection",
    ]);
    expect(messages(notices)).toEqual([
        "danger: 1@tallwood.example, 2@tallwood.example, 3@tallwood.example, and 2 others",
    ]);
    expect(buttons(notices)).toEqual([["My Mail Accounts"]]);
    notices[0].buttons[0].onClick();
    [1, 2, 3].forEach((number) => send("synced", {account_id: number}));
    expect(messages(notices)).toEqual([
        "danger: 4@tallwood.example and 5@tallwood.example",
    ]);
    send("synced", {account_id: 4});
    expect([titles(notices), messages(notices), buttons(notices)]).toEqual([
        ["Failed"],
        ["danger: Reason 5"],
        [["Try again"]],
    ]);
    // (who has closed it knows of those; they are not told of again)
    notices[0].close();
    fail(6);
    expect([titles(notices), messages(notices)]).toEqual([
        ["Failed"],
        ["danger: Reason 6"],
    ]);
    send("synced", {account_id: 5});
    send("synced", {account_id: 6});
    expect(notices).toEqual([]);
    expect.verifySteps([
        ...Array(6).fill("failed"),
        "easycrm_mail.easycrm_email_account_action_my",
        ...Array(4).fill("synced"),
        ...["failed", "synced", "synced"],
    ]);
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
