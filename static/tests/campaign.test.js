import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click} from "@odoo/hoot-dom";
import {advanceTime, animationFrame, mockDate} from "@odoo/hoot-mock";

import {makeMockEnv, mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";

import {
    atWords,
    niceStep,
    progressWords,
    ratioWords,
    secondsLeftWords,
} from "@easycrm_mail/campaign/campaign_words";
import {MailingProgress} from "@easycrm_mail/campaign/mailing_progress";
import {SendThroughField} from "@easycrm_mail/campaign/send_through_field";

describe.current.tags("desktop");
defineMailModels();

const WORDS = ".o_easycrm_progress_words";
const BAR = "[role=progressbar]";

/** What the server tells next. */
let told = {};

beforeEach(() => {
    mockDate("2026-11-30 10:00:00", 0);
    told = {
        total: 50_000,
        done: 12_000,
        batches: 50,
        batches_done: 12,
        doubt: 0,
        doubt_people: 0,
        seconds_left: 120,
        state: "sending",
        is_writing: false,
        is_cancelled: false,
        left_out: [],
        failed: [],
        paused: null,
        failing: null,
        others: [],
    };
    onRpc("mailing.mailing", "easycrm_get_progress", () => {
        expect.step("looked");
        return {...told};
    });
});

function makeRecord(data = {}) {
    const record = {
        resId: 7,
        resModel: "mailing.mailing",
        data: {state: "sending", schedule_type: "now", ...data},
        isDirty: async () => false,
        load: async () => expect.step("form reloaded"),
    };
    record.model = {root: record};
    return record;
}

async function mountProgress(data) {
    const props = {record: makeRecord(data), readonly: true};
    await mountWithCleanup(MailingProgress, {props});
    expect.verifySteps(["looked"]);
    return props.record;
}

async function pass(milliseconds) {
    await advanceTime(milliseconds);
    await animationFrame();
}

test("a mailing tells how far its sender is, every three seconds", async () => {
    await mountProgress();
    expect(WORDS).toHaveText("12,000 of 50,000, 2 min left");
    expect(BAR).toHaveAttribute("aria-valuenow", "24");
    expect(".o_easycrm_progress").toHaveText(
        /12 of 50 batches handed over, none in doubt/
    );
    Object.assign(told, {done: 13_000, doubt: 1});
    await pass(3000);
    expect.verifySteps(["looked"]);
    expect(WORDS).toHaveText("13,000 of 50,000, 2 min left");
    expect(".o_easycrm_progress").toHaveText(/1 in doubt/);
    Object.assign(told, {doubt: 0, is_writing: true});
    await pass(3000);
    expect.verifySteps(["looked"]);
    expect(".o_easycrm_progress").toHaveText(
        /12 batches handed over, the rest is being written/
    );
    Object.assign(told, {is_writing: false});
    await pass(3000);
    expect.verifySteps(["looked", "form reloaded"]);
});

test("the bar never goes backwards", async () => {
    await mountProgress();
    Object.assign(told, {done: 11_000, total: 51_000});
    await pass(3000);
    expect.verifySteps(["looked"]);
    expect(WORDS).toHaveText("12,000 of 51,000, 2 min left");
    expect(BAR).toHaveAttribute("aria-valuenow", "24");
});

test("nobody looks while the tab is hidden, nor when it is sent", async () => {
    const record = await mountProgress();
    let visibility = "hidden";
    Object.defineProperty(document, "visibilityState", {
        configurable: true,
        get: () => visibility,
    });
    try {
        await pass(3000);
        expect.verifySteps(["looked"]);
        await pass(9000);
        expect.verifySteps([]);
        visibility = "visible";
        document.dispatchEvent(new Event("visibilitychange"));
        await animationFrame();
        expect.verifySteps(["looked"]);
        Object.assign(told, {state: "done", done: 50_000});
        record.load = async () => {
            expect.step("form reloaded");
            record.data.state = "done";
        };
        await pass(3000);
        expect.verifySteps(["looked", "form reloaded"]);
        await pass(9000);
        expect.verifySteps([]);
    } finally {
        delete document.visibilityState;
    }
});

test("a mailing that waits for its day is not looked at again and again", async () => {
    told.state = "in_queue";
    await mountProgress({state: "in_queue", schedule_type: "scheduled"});
    await pass(9000);
    expect.verifySteps([]);
    expect(WORDS).toHaveCount(0);
});

test("who was left out is told by reason, and opens", async () => {
    onRpc("mailing.mailing", "action_easycrm_view_recipients", ({args}) => {
        expect.step(args.slice(1));
        return {type: "ir.actions.act_window_close"};
    });
    told.left_out = [
        {type: "mail_dup", label: "twice in the lists", count: 610},
        {type: "mail_bl", label: "blocklisted", count: 402},
        {type: "", label: "cancelled by a person", count: 3},
    ];
    await mountProgress();
    expect(".o_easycrm_left_out").toHaveText(/Left out before sending: 1,012/);
    expect(".o_easycrm_cancelled").toHaveText("3 cancelled by a person");
    await click(".o_easycrm_left_out button:contains('402 blocklisted')");
    await animationFrame();
    expect.verifySteps([["left_out", "mail_bl", "blocklisted"]]);
});

test("a pause says who wanted it, and goes on by a button", async () => {
    onRpc("mailing.mailing", "action_easycrm_resume", () => {
        expect.step("resumed");
        told.paused = null;
        return true;
    });
    told.paused = {by: "Mia", is_me: true, at: "2026-11-30 09:34:00", reason: ""};
    await mountProgress({easycrm_paused: true});
    expect(WORDS).toHaveText(/^12,000 of 50,000, paused by you at 9:34\sAM$/);
    expect(".o_easycrm_go_on").toHaveCount(0);
    await click(".o_easycrm_resume");
    await animationFrame();
    expect.verifySteps(["resumed", "looked", "form reloaded"]);
    expect(WORDS).toHaveText("12,000 of 50,000, 2 min left");
});

test("where it stops by itself the form says so, too", async () => {
    const record = await mountProgress();
    record.load = async () => {
        expect.step("form reloaded");
        record.data.easycrm_paused = true;
    };
    told.paused = {
        by: null,
        is_me: false,
        at: "2026-11-30 09:34:00",
        reason: "SendGrid does not know this API key.",
    };
    await pass(3000);
    expect.verifySteps(["looked", "form reloaded"]);
    expect(WORDS).toHaveText(/^12,000 of 50,000, stopped at 9:34\sAM$/);
    expect(".o_easycrm_progress_why").toHaveText(
        "SendGrid does not know this API key."
    );
    await pass(3000);
    expect.verifySteps(["looked"]);
});

test("a sender that is silent may be left for another, or waited for", async () => {
    onRpc("mailing.mailing", "action_easycrm_go_on_through", ({args}) => {
        expect.step(args);
        told.failing = null;
        return true;
    });
    Object.assign(told, {
        seconds_left: null,
        failing: {esp: "SendGrid", words: "SendGrid does not answer.", minutes: 4},
        others: [{id: 3, name: "Mailgun"}],
    });
    await mountProgress();
    expect(WORDS).toHaveText("SendGrid has not answered for 4 minutes");
    expect(".o_easycrm_progress_why").toHaveText(
        "SendGrid does not answer. 12,000 are handed over, 38,000 wait. Nobody gets it twice."
    );
    await click(".o_easycrm_wait");
    await animationFrame();
    expect(WORDS).toHaveText("12,000 of 50,000");
    expect(".o_easycrm_progress_why").toHaveText(
        "SendGrid does not answer. It is tried again by itself."
    );
    expect(".o_easycrm_go_on").toHaveCount(0);
});

test("what waits goes on through the other sender", async () => {
    onRpc("mailing.mailing", "action_easycrm_go_on_through", ({args}) => {
        expect.step(args);
        told.failing = null;
        return true;
    });
    Object.assign(told, {
        failing: {esp: "SendGrid", words: "", minutes: 4},
        others: [{id: 3, name: "Mailgun"}],
    });
    await mountProgress();
    expect(".o_easycrm_go_on").toHaveText("Continue through Mailgun");
    await click(".o_easycrm_go_on");
    await animationFrame();
    expect.verifySteps([[[7], 3], "looked", "form reloaded"]);
    expect(WORDS).toHaveText("12,000 of 50,000, 2 min left");
});

test("numbers of a campaign in words", async () => {
    await makeMockEnv();
    expect(ratioWords(13_204, 48_905)).toBe("27.0\u00a0%");
    expect(ratioWords(0, 0)).toBe("");
    expect(String(secondsLeftWords(null))).toBe("");
    expect(String(secondsLeftWords(40))).toBe("less than a minute left");
    expect(String(secondsLeftWords(7200))).toBe("about 2 h left");
    expect(String(atWords("2026-11-30 09:33:00"))).toMatch(/^at 9:33\sAM$/);
    expect(String(atWords("2026-11-29 09:33:00"))).toMatch(/^on Nov 29 at 9:33\sAM$/);
    const paused = {by: null, is_me: false, at: "2026-11-30 09:34:00", reason: "Key"};
    expect(String(progressWords({done: 1, total: 2, paused}))).toMatch(
        /^1 of 2, stopped at 9:34\sAM$/
    );
    paused.by = "Jonas";
    expect(String(progressWords({done: 1, total: 2, paused}))).toMatch(
        /^1 of 2, paused by Jonas at 9:34\sAM$/
    );
    expect([1, 4, 5, 163, 1255, 4488].map(niceStep)).toEqual([1, 1, 2, 50, 500, 2000]);
});

test("a mailing goes through Odoo's own server or a sender that has a key", async () => {
    onRpc("easycrm.esp", "search_read", () => [
        {
            id: 1,
            display_name: "SendGrid",
            health: "Fine",
            has_api_key: true,
            has_webhook_key: true,
        },
        {
            id: 2,
            display_name: "Mailgun",
            health: "no API key",
            has_api_key: false,
            has_webhook_key: false,
        },
    ]);
    const record = makeRecord({easycrm_esp_id: false});
    record.fields = {easycrm_esp_id: {relation: "easycrm.esp"}};
    record.update = (changes) => expect.step(changes);
    await mountWithCleanup(SendThroughField, {
        props: {record, name: "easycrm_esp_id", readonly: false},
    });
    expect("input:checked + label").toHaveText("Odoo’s mail server");
    expect(".o_easycrm_way_health").toHaveCount(0);
    expect("input:disabled + label").toHaveText("Mailgun");
    await click("label:contains('SendGrid')");
    expect.verifySteps([{easycrm_esp_id: {id: 1, display_name: "SendGrid"}}]);
});
