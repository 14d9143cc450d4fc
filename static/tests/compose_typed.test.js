import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click, edit, press, queryAllTexts} from "@odoo/hoot-dom";
import {Deferred, advanceTime} from "@odoo/hoot-mock";

import {contains, getService, mountWithCleanup} from "@web/../tests/web_test_helpers";
import {MainComponentsContainer} from "@web/core/main_components_container";

import {ANNA, mockCompose, namesOf} from "./compose_helpers";
import {settle} from "./connect_helpers";

describe.current.tags("desktop");
defineMailModels();

const BOB = {name: "", address: "bob@x.example", partner_id: false};

async function typeInto(values, answers) {
    const calls = mockCompose({subject: "Chairs", ...values}, answers);
    await mountWithCleanup(MainComponentsContainer);
    getService("easycrm_mail.compose").open({});
    await settle();
    await click("[data-role='to'] input");
    await edit(BOB.address, {confirm: false});
    return calls;
}

function lastOf(calls, name) {
    return calls.filter(([one]) => one === name).at(-1);
}

test("who was typed last gets the mail, too, however late the server knows him", async () => {
    const wait = new Deferred();
    const calls = await typeInto(
        {},
        {
            easycrm_read_people: async () => {
                await wait;
                return [BOB];
            },
        }
    );
    await contains(".o_easycrm_send").click();
    await settle();
    expect(namesOf(calls)).not.toInclude("easycrm_send");
    wait.resolve();
    await settle();
    expect(lastOf(calls, "easycrm_send")[1].recipients.to).toEqual([ANNA, BOB]);
    expect(".o_easycrm_compose").toHaveCount(0);
});

test("who was typed gets it, too, while the list of who may be meant is open", async () => {
    const calls = await typeInto();
    await advanceTime(200);
    await settle();
    expect(".o_easycrm_suggestions").toHaveCount(1);
    await contains(".o_easycrm_send").click();
    await settle();
    expect(lastOf(calls, "easycrm_send")[1].recipients.to).toEqual([ANNA, BOB]);
});

test("to close the list of who may be meant leaves what was typed", async () => {
    await typeInto();
    await advanceTime(200);
    await settle();
    await press("escape");
    await settle();
    expect(".o_easycrm_suggestions").toHaveCount(0);
    expect("[data-role='to'] input").toHaveValue(BOB.address);
});

test("who was typed alone is enough to send it", async () => {
    const calls = await typeInto({recipients: {to: [], cc: [], bcc: []}});
    await press(["control", "enter"]);
    await settle();
    expect(lastOf(calls, "easycrm_send")[1].recipients.to).toEqual([BOB]);
});

test("an address that the server could not read is not lost", async () => {
    const calls = await typeInto(
        {},
        {easycrm_read_people: () => Promise.reject(new Error("no"))}
    );
    await click(".o_easycrm_subject_input");
    await settle();
    expect(queryAllTexts(".o_easycrm_person_name")).toEqual([
        "Anna Berg",
        "bob@x.example",
    ]);
    await contains(".o_easycrm_send").click();
    await settle();
    expect(lastOf(calls, "easycrm_send")[1].recipients.to).toEqual([ANNA, BOB]);
});

test("who was typed is kept when the window is closed", async () => {
    const calls = await typeInto();
    await contains(".modal-header .btn-close").click();
    await settle();
    expect(lastOf(calls, "easycrm_save")[1].recipients.to).toEqual([ANNA, BOB]);
    expect(".o_easycrm_toast").toHaveText(/The draft is kept/);
});

test("a planned mail that was opened and closed is told to be a draft", async () => {
    const calls = mockCompose({outgoing_id: 9, subject: "Chairs"});
    await mountWithCleanup(MainComponentsContainer);
    const composer = getService("easycrm_mail.compose");
    composer.open({easycrm_outgoing_id: 9}, undefined, {wasPlanned: true});
    await settle();
    await press("escape");
    await settle();
    expect(".o_easycrm_toast").toHaveText(
        /It is a draft now and is not sent by itself./
    );
    expect(namesOf(calls)).toEqual(["easycrm_open"]);
});

test("the time to send at is chosen in a window of its own", async () => {
    await typeInto();
    await contains(".o_easycrm_later").click();
    await contains(".o_easycrm_later_choose").click();
    await settle();
    expect(".o_easycrm_later_ok").toHaveText("Send then");
});
