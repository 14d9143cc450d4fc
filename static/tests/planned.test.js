import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click, queryAllTexts} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {
    getService,
    makeMockEnv,
    mockService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import {Planned} from "@easycrm_mail/compose/planned";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";

describe.current.tags("desktop");
defineMailModels();

const QUEUED = {
    id: 1,
    state: "queued",
    subject: "Sample chairs",
    to: "Anna Berg",
    when: "2026-11-25 08:30:00",
    snippet: "Hello Anna",
    error: "",
    can_edit: true,
    can_send_now: true,
    can_cancel: true,
};

async function mountPlanned(mails) {
    onRpc("easycrm.email.outgoing", "easycrm_planned", ({args}) => {
        expect.step(`planned ${args.join(" ")}`);
        return mails;
    });
    await makeMockEnv();
    const store = reactive(new TimelineStore(getService("orm"), "res.partner", 7));
    await mountWithCleanup(Planned, {props: {store}});
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["planned res.partner 7"]);
}

test("what is planned can be edited, sent now and cancelled", async () => {
    const mails = [QUEUED];
    await mountPlanned(mails);
    expect(".o_easycrm_direction").toHaveText("Will be sent");
    expect(queryAllTexts(".o_easycrm_outgoing_actions button")).toEqual([
        "Edit",
        "Send now",
        "Cancel",
    ]);
    onRpc("easycrm.email.outgoing", "action_cancel", ({args}) => {
        expect.step(`cancel ${args[0]}`);
        mails.pop();
        return true;
    });
    await click(".o_easycrm_outgoing_cancel");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["cancel 1", "planned res.partner 7"]);
    expect(".o_easycrm_planned").toHaveCount(0);
});

test("a doubt is the reader's to settle", async () => {
    await mountPlanned([
        {
            ...QUEUED,
            state: "doubt",
            error: "Gmail did not answer. It was not sent again.",
            can_edit: false,
            can_send_now: false,
            can_cancel: false,
            can_send_again: true,
            can_discard: true,
        },
    ]);
    expect(".o_easycrm_direction").toHaveText("Not sure it was sent");
    expect(".o_easycrm_outgoing_error").toHaveText(/It was not sent again/);
    expect(queryAllTexts(".o_easycrm_outgoing_actions button")).toEqual([
        "Send again",
        "Discard",
    ]);
});

test("what was refused is corrected in the window, once it is a draft again", async () => {
    mockService("easycrm_mail.compose", {
        discarded: new Set(),
        open: ({easycrm_outgoing_id: id}, _window, {wasPlanned}) =>
            expect.step(`open ${id}, ${wasPlanned}`),
    });
    await mountPlanned([
        {
            ...QUEUED,
            state: "refused",
            error: "anna@acme.example: no such mailbox",
            can_send_now: false,
            can_cancel: false,
            can_send_again: true,
            can_discard: true,
        },
    ]);
    expect(queryAllTexts(".o_easycrm_outgoing_actions button")).toEqual([
        "Edit",
        "Send again",
        "Discard",
    ]);
    const answers = [
        {undone: false, message: "It was too late."},
        {undone: true, message: ""},
    ];
    onRpc("easycrm.email.outgoing", "action_undo", ({args}) => {
        expect.step(`undo ${args[0]}`);
        return answers.shift();
    });
    await click(".o_easycrm_outgoing_edit");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["undo 1", "planned res.partner 7"]);
    await click(".o_easycrm_outgoing_edit");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["undo 1", "planned res.partner 7", "open 1, false"]);
});

test("what was planned is opened as such: it does not leave by itself any more", async () => {
    mockService("easycrm_mail.compose", {
        discarded: new Set(),
        open: (_context, _window, {wasPlanned}) => expect.step(`open ${wasPlanned}`),
    });
    await mountPlanned([QUEUED]);
    onRpc("easycrm.email.outgoing", "action_undo", () => ({undone: true, message: ""}));
    await click(".o_easycrm_outgoing_edit");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["planned res.partner 7", "open true"]);
});

test("a draft that is discarded is not shown, and is when that is taken back", async () => {
    const draft = {...QUEUED, state: "draft", can_send_now: false, can_cancel: false};
    await mountPlanned([draft]);
    expect(".o_easycrm_outgoing").toHaveCount(1);
    const {discarded} = getService("easycrm_mail.compose");
    discarded.add(draft.id);
    await animationFrame();
    expect(".o_easycrm_planned").toHaveCount(0);
    discarded.delete(draft.id);
    await animationFrame();
    expect(".o_easycrm_outgoing").toHaveCount(1);
});

test("nothing planned shows nothing", async () => {
    await mountPlanned([]);
    expect(".o_easycrm_planned").toHaveCount(0);
});
