import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {
    click,
    edit,
    manuallyDispatchProgrammaticEvent,
    press,
    queryAllTexts,
    queryOne,
} from "@odoo/hoot-dom";
import {Deferred, advanceTime, animationFrame, mockDate} from "@odoo/hoot-mock";

import {
    contains,
    getService,
    makeMockEnv,
    makeServerError,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {MainComponentsContainer} from "@web/core/main_components_container";

import {
    laterTimes,
    selectionWords,
    whenWords,
} from "@easycrm_mail/compose/compose_words";
import {ANNA, FROM, mockCompose, namesOf} from "./compose_helpers";
import {settle} from "./connect_helpers";

describe.current.tags("desktop");
defineMailModels();

async function openCompose(context = {}) {
    await mountWithCleanup(MainComponentsContainer);
    getService("easycrm_mail.compose").open(context);
    await settle();
}

test("what is written is saved after a pause, and again when the window is closed", async () => {
    const calls = mockCompose();
    await openCompose();
    expect(".o_easycrm_person_name").toHaveText("Anna Berg");
    await contains(".o_easycrm_subject_input").edit("Chairs", {confirm: false});
    expect(namesOf(calls)).toEqual(["easycrm_open"]);
    await advanceTime(2000);
    expect(calls.at(-1)[0]).toBe("easycrm_save");
    expect(calls.at(-1)[1].subject).toBe("Chairs");
    expect(calls.at(-1)[1].recipients.to).toEqual([ANNA]);
    await animationFrame();
    expect(".o_easycrm_draft").toHaveText(/Draft saved/);
    await contains(".o_easycrm_subject_input").edit("More chairs", {confirm: false});
    await press("escape");
    await settle();
    expect(".o_easycrm_compose").toHaveCount(0);
    expect(calls.at(-1)[1].subject).toBe("More chairs");
    expect(".o_easycrm_toast").toHaveText(/The draft is kept/);
});

test("a draft that is open again is not told to be kept", async () => {
    mockCompose({outgoing_id: 9});
    await openCompose();
    await contains(".o_easycrm_subject_input").edit("Chairs", {confirm: false});
    await press("escape");
    await settle();
    expect(".o_easycrm_toast").toHaveText(/The draft is kept/);
    getService("easycrm_mail.compose").open({easycrm_outgoing_id: 9});
    await settle();
    expect(".o_easycrm_compose").toHaveCount(1);
    expect(".o_easycrm_toast").toHaveCount(0);
});

test("a window that cannot be opened says why, and can be closed", async () => {
    const calls = mockCompose(
        {},
        {
            easycrm_open: () => {
                throw makeServerError({message: "This draft is not there any more."});
            },
        }
    );
    await openCompose({easycrm_outgoing_id: 9});
    expect(".o_easycrm_compose [role=alert] p").toHaveText(
        "This draft is not there any more."
    );
    await contains(".o_easycrm_compose [role=alert] button").click();
    await settle();
    expect(".o_easycrm_compose").toHaveCount(0);
    expect(namesOf(calls)).toEqual(["easycrm_open"]);
});

test("a window in which nothing was written leaves nothing", async () => {
    const calls = mockCompose();
    await openCompose();
    await press("escape");
    await settle();
    expect(namesOf(calls)).toEqual(["easycrm_open"]);
    expect(".o_easycrm_toast").toHaveCount(0);
});

test("what could not be saved is not lost when the window is closed", async () => {
    mockCompose({}, {easycrm_save: () => Promise.reject(new Error("no"))});
    await openCompose();
    await contains(".o_easycrm_subject_input").edit("Chairs", {confirm: false});
    await press("escape");
    await settle();
    expect(".o_easycrm_toast_danger").toHaveText(/could not be saved/);
    await contains(".o_easycrm_toast button:contains(Go on writing)").click();
    await settle();
    expect(".o_easycrm_subject_input").toHaveValue("Chairs");
    mockCompose();
    await advanceTime(2000);
    await settle();
    expect(".o_easycrm_draft").toHaveText(/Draft saved/);
});

test("what could not be saved is not lost when its draft is opened again", async () => {
    let isBroken = false;
    const answer = {outgoing_id: 9, saved_at: "2026-11-24 08:41:00"};
    mockCompose(
        {outgoing_id: 9},
        {easycrm_save: () => (isBroken ? Promise.reject(new Error("no")) : answer)}
    );
    await openCompose();
    await contains(".o_easycrm_subject_input").edit("Chairs", {confirm: false});
    await advanceTime(2000);
    isBroken = true;
    await contains(".o_easycrm_subject_input").edit("More chairs", {confirm: false});
    await press("escape");
    await settle();
    expect(".o_easycrm_toast_danger").toHaveText(/could not be saved/);
    getService("easycrm_mail.compose").open({easycrm_outgoing_id: 9});
    await settle();
    expect(".o_easycrm_compose").toHaveCount(1);
    expect(".o_easycrm_toast_danger").toHaveCount(1);
});

test("sent, it can be taken back for ten seconds, then the cron is woken", async () => {
    mockDate("2026-11-24 09:00:00");
    const calls = mockCompose(
        {subject: "Chairs"},
        {easycrm_undo: () => ({late: 0, window: false})}
    );
    await openCompose();
    await click(".o_easycrm_subject_input");
    await press(["control", "enter"]);
    await settle();
    expect(".o_easycrm_compose").toHaveCount(0);
    expect(".o_easycrm_toast_title").toHaveText("Sending in 10 seconds");
    await advanceTime(4000);
    // (it is counted once a second, by a clock that goes on meanwhile)
    expect(".o_easycrm_toast_title").toHaveText(/^Sending in [5-7] seconds$/);
    expect(namesOf(calls)).not.toInclude("easycrm_wake");
    await advanceTime(6500);
    await settle();
    expect(namesOf(calls).at(-1)).toBe("easycrm_wake");
    expect(".o_easycrm_toast_title").toHaveText("Sending…");
    expect(".o_easycrm_undo").toHaveCount(0);
});

test("taken back, the window stands there as it was", async () => {
    const calls = mockCompose({subject: "Chairs"});
    await openCompose();
    const [opened] = calls;
    expect(opened[0]).toBe("easycrm_open");
    onRpc("easycrm.email.compose", "easycrm_undo", ({args}) => {
        calls.push(["easycrm_undo", ...args]);
        return {late: 0, window: null};
    });
    await contains(".o_easycrm_send").click();
    await settle();
    await press("z");
    await settle();
    expect(calls.at(-1)).toEqual(["easycrm_undo", [5], [9]]);
    expect(".o_easycrm_toast_sending").toHaveCount(0);
});

test("nothing is sent while a value is missing, and it is shown where", async () => {
    const mark = `<span class="o_easycrm_missing" data-label="Delivery date"
        data-words="Delivery date: no value" data-expression="object.date">Delivery date: no value</span>`;
    const calls = mockCompose({subject: "Offer", body: `<p>On ${mark}.</p>`});
    await openCompose();
    expect(".o_easycrm_missing_bar").toHaveText(
        /1 value is missing: Delivery date. It is not sent as a blank./
    );
    await contains(".o_easycrm_send").click();
    expect(namesOf(calls)).not.toInclude("easycrm_send");
    expect(".o_easycrm_problem").toHaveText(/Values are missing/);
    await contains(".o_easycrm_go_missing").click();
    const element = queryOne(".o_easycrm_missing");
    expect(document.getSelection().toString()).toBe("Delivery date: no value");
    element.textContent = "Monday";
    await manuallyDispatchProgrammaticEvent(element, "input", {
        inputType: "insertText",
    });
    await settle();
    expect(".o_easycrm_missing_bar").toHaveCount(0);
    await contains(".o_easycrm_send").click();
    await settle();
    const sent = calls.find(([name]) => name === "easycrm_send");
    expect(sent[1].body).toMatch(/On <span>Monday<\/span>/);
});

test("a subject with braces is only a missing value where a template put it", async () => {
    mockCompose({subject: "Re: {{first_name}}"});
    await openCompose();
    expect(".o_easycrm_missing_bar").toHaveCount(0);
    await press("escape");
    await settle();
    mockCompose({subject: "Offer {{Phone}}", template: {id: 3, name: "Offer"}});
    getService("easycrm_mail.compose").open({});
    await settle();
    expect(".o_easycrm_missing_bar").toHaveText(/Phone/);
});

test("too large a mail cannot be sent, and how much is to be taken off is told", async () => {
    const files = [{id: 1, name: "Plan.pdf", mimetype: "application/pdf", size: 3900}];
    mockCompose({files});
    await openCompose();
    expect(".o_easycrm_too_large").toHaveText(/4 kB of 3 kB/);
    expect(".o_easycrm_send").not.toBeEnabled();
    await contains(".o_easycrm_file button").click();
    expect(".o_easycrm_too_large").toHaveCount(0);
    expect(".o_easycrm_send").toBeEnabled();
});

test("who is typed comes to mind, with what came back", async () => {
    const calls = mockCompose(
        {recipients: {to: [], cc: [], bcc: []}},
        {
            easycrm_suggest: () => [
                {...ANNA, name: "Henrik Voss", problem: "mailbox is full"},
                {
                    name: "",
                    address: "henning@dahl-ark.example",
                    partner_id: false,
                    seen: 3,
                },
            ],
        }
    );
    await openCompose();
    await click("[data-role='to'] input");
    await edit("hen");
    await advanceTime(300);
    await settle();
    expect(calls.at(-1)).toEqual(["easycrm_suggest", "hen"]);
    expect(queryAllTexts(".o_easycrm_suggestion")).toEqual([
        "Henrik Voss\nlast mail came back: mailbox is full",
        "@\nhenning@dahl-ark.example\nseen 3 times, not a contact",
    ]);
    await press("enter");
    await settle();
    expect(".o_easycrm_person_flagged .o_easycrm_person_name").toHaveText(
        "Henrik Voss"
    );
    await edit("x@y.example");
    await press(",");
    await settle();
    expect(queryAllTexts(".o_easycrm_person_name")).toEqual([
        "Henrik Voss",
        "x@y.example",
    ]);
    expect("[data-role='to'] input").toHaveValue("");
});

test("without a mailbox the window says so and offers to connect", async () => {
    mockCompose({from: [], account_id: false, from_address: ""});
    await openCompose();
    expect(".o_easycrm_no_mailbox").toHaveText(/No mailbox yet/);
    expect(".o_easycrm_send").not.toBeEnabled();
});

test("a mailbox that cannot send says why", async () => {
    const calls = mockCompose({
        from: [{...FROM, why_not: "Sign in to mira@ours.example first."}],
    });
    await openCompose();
    expect(".o_easycrm_why_not").toHaveText("Sign in to mira@ours.example first.");
    await contains(".o_easycrm_send").click();
    expect(namesOf(calls)).not.toInclude("easycrm_send");
    expect(".o_easycrm_problem").toHaveText("Sign in to mira@ours.example first.");
});

test("what is discarded can be brought back, and is gone afterwards", async () => {
    const calls = mockCompose();
    await openCompose();
    await contains(".o_easycrm_subject_input").edit("Chairs", {confirm: false});
    await contains(".o_easycrm_discard").click();
    await settle();
    expect(".o_easycrm_toast").toHaveText(/Discarded/);
    expect(namesOf(calls)).not.toInclude("easycrm_discard");
    const {discarded} = getService("easycrm_mail.compose");
    expect([...discarded]).toEqual([9]);
    await contains(".o_easycrm_undo").click();
    await settle();
    expect([...discarded]).toEqual([]);
    expect(".o_easycrm_compose").toHaveCount(1);
    expect(namesOf(calls).filter((name) => name === "easycrm_open").length).toBe(2);
    await contains(".o_easycrm_discard").click();
    await advanceTime(9000);
    await settle();
    expect(namesOf(calls).at(-1)).toBe("easycrm_discard");
});

test("a refusal of the server is told, and nothing is lost", async () => {
    const wait = new Deferred();
    mockCompose(
        {subject: "Chairs"},
        {
            easycrm_send: async () => {
                await wait;
                throw new Error("no");
            },
        }
    );
    await openCompose();
    await contains(".o_easycrm_send").click();
    expect(".o_easycrm_send").not.toBeEnabled();
    wait.resolve();
    await settle();
    expect(".o_easycrm_compose").toHaveCount(1);
    expect(".o_easycrm_problem").toHaveCount(1);
    expect(".o_easycrm_subject_input").toHaveValue("Chairs");
    expect.errors(0);
});

test("later is tomorrow morning, or Monday: never the same twice", () => {
    const at = (text) =>
        laterTimes(luxon.DateTime.fromISO(text)).map(({words}) =>
            words.replace(/\s/g, " ")
        );
    expect(at("2026-11-24T14:00")).toEqual(["Wed 8:30 AM", "Nov 30, 8:30 AM"]);
    expect(at("2026-11-29T14:00")).toEqual(["Mon 8:30 AM", "Dec 7, 8:30 AM"]);
    expect(at("2026-11-30T07:00")).toEqual(["Tue 8:30 AM", "Dec 7, 8:30 AM"]);
});

test("a selection is told in words", async () => {
    await makeMockEnv();
    const someone = (name, address = "a@b.example") => ({name, address});
    expect(selectionWords([someone("A"), someone("B")])).toBe("2 emails, one for each");
    expect(selectionWords([someone("A"), someone("B", "")])).toBe(
        "1 email. Without an address: B"
    );
});

test("when a mail leaves is told from today on", async () => {
    await makeMockEnv();
    const now = luxon.DateTime.fromISO("2026-11-24T12:00");
    const at = (text) =>
        whenWords(
            luxon.DateTime.fromISO(text).toUTC().toFormat("yyyy-MM-dd HH:mm:ss"),
            now
        );
    expect(at("2026-11-25T08:30")).toMatch(/^Tomorrow 8:30/);
    expect(at("2026-11-24T15:00")).toMatch(/^3:00/);
});
