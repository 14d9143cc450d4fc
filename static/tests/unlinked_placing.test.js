/** What is done with what waits in Unlinked Emails: it is linked, taught, ignored, and all of that taken back. */

import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, drag, edit, queryAllTexts} from "@odoo/hoot-dom";
import {advanceTime, animationFrame} from "@odoo/hoot-mock";

import {defineModels, mockService} from "@web/../tests/web_test_helpers";

import {
    EasycrmEmailCopy,
    QUESTION,
    cursor,
    keys,
    mockUnlinked,
    mountUnlinked,
    selected,
    senders,
    settle,
    subjects,
} from "./unlinked_helpers";

describe.current.tags("desktop");
defineMailModels();
defineModels([EasycrmEmailCopy]);

let server = null;

beforeEach(() => {
    server = mockUnlinked();
});

test("l, a name, Enter links; z takes it back", async () => {
    await mountUnlinked();
    await keys("x", "j", "x", "l");
    expect(".o_easycrm_dock_input").toBeFocused();
    await edit("lena");
    await settle();
    expect(queryAllTexts(".o_easycrm_found bdi")).toEqual(["Lena Hartmann"]);
    await keys("Enter");
    expect.verifySteps(["link 9,8 to res.partner,9"]);
    expect(subjects()).toEqual(["Mail 7", "Mail 6", "Mail 5", "Mail 4", "Mail 3"]);
    expect(".o_easycrm_waiting").toHaveText("7 waiting");
    expect(".o_easycrm_announcement").toHaveText("2 mails linked");
    expect(cursor()).toBe("m:7");
    await keys("z");
    expect.verifySteps(["undo 1"]);
    expect(subjects()[0]).toBe("Mail 9");
    expect(cursor()).toBe("m:9");
    await keys("z");
    expect.verifySteps([]);
});

test("several are dragged onto a record, which says what will happen", async () => {
    await mountUnlinked();
    await keys("x", ["Shift", "J"], ["Shift", "J"]);
    const {moveTo, drop} = await drag("[data-key='m:8']");
    await moveTo(".o_easycrm_pane");
    await settle();
    expect(".o_easycrm_stack_count").toHaveText("3");
    expect(".o_easycrm_dragged").toHaveCount(3);
    expect(".o_easycrm_dimmed").toHaveCount(4);
    await moveTo("[data-drop='crm.lead,7']");
    await settle();
    expect(".o_easycrm_over").toHaveCount(1);
    expect(".o_easycrm_record_drop").toHaveText("link 3 mails to Acme – 40 chairs");
    await drop();
    await settle();
    expect.verifySteps(["link 9,8,7 to crm.lead,7"]);
    expect(".o_easycrm_stack").toHaveCount(0);
    expect(subjects()[0]).toBe("Mail 6");
    expect(".o_notification .o_notification_content").toHaveText("3 mails linked");
    await click(".o_notification_buttons button");
    await settle();
    expect.verifySteps(["undo 1"]);
    expect(subjects()[0]).toBe("Mail 9");
});

test("one that is not selected is dragged alone, a sender with all of his", async () => {
    await mountUnlinked();
    await keys("x");
    let dragged = await drag("[data-key='m:6']");
    await dragged.moveTo("[data-drop='res.partner,9']");
    await settle();
    expect(".o_easycrm_record_drop").toHaveText("link 1 mail to Lena Hartmann");
    await dragged.drop();
    await settle();
    expect.verifySteps(["link 6 to res.partner,9"]);
    dragged = await drag("[data-key='g:bruno@acme.example']");
    await dragged.moveTo("[data-drop='res.partner,9']");
    await settle();
    await dragged.drop();
    await settle();
    expect.verifySteps(["link 2 to res.partner,9"]);
    expect(senders()).toEqual(["anna", "clara"]);
});

test("Esc lets go of what is dragged, and a drop beside links nothing", async () => {
    await mountUnlinked();
    let dragged = await drag("[data-key='m:8']");
    await dragged.moveTo("[data-drop='crm.lead,7']");
    await settle();
    expect(".o_easycrm_stack").toHaveCount(1);
    await keys("Escape");
    expect(".o_easycrm_stack").toHaveCount(0);
    await dragged.drop();
    dragged = await drag("[data-key='m:8']");
    await dragged.moveTo(".o_easycrm_pane");
    await settle();
    expect(".o_easycrm_stack").toHaveCount(1);
    await dragged.drop();
    await settle();
    expect.verifySteps([]);
    expect(subjects().length).toBe(5);
});

test("the question sits in the dock, nothing wide is chosen, one Undo for all", async () => {
    server.question = QUESTION;
    await mountUnlinked();
    await click("[data-drop='crm.lead,7']");
    await settle();
    expect.verifySteps(["link 9 to crm.lead,7"]);
    expect(".modal").toHaveCount(0);
    expect(".o_easycrm_dock .o_easycrm_question_title").toHaveText(QUESTION.title);
    expect("input[value='these']").toBeChecked();
    expect(".o_easycrm_teach").toHaveText("Done");
    expect("input[value='domain']").not.toBeEnabled();
    expect(".o_easycrm_option_disabled").toHaveText(/Too many/);
    await click("input[value='address']");
    await settle();
    expect(".o_easycrm_teach").toHaveText("Place 2 others");
    expect(".o_easycrm_effect").toHaveText(/would also place 2 others/);
    await click(".o_easycrm_effect button");
    await settle();
    expect.verifySteps(["look 1 address"]);
    expect(queryAllTexts(".o_easycrm_others bdi")).toEqual(["Mail 8", "Mail 7"]);
    await click(".o_easycrm_teach");
    await settle();
    expect.verifySteps(["teach 1 address"]);
    expect(".o_easycrm_question").toHaveCount(0);
    expect(senders()).toEqual(["bruno", "clara"]);
    document.activeElement.blur();
    await keys("z");
    expect.verifySteps(["undo 1"]);
    expect(".o_easycrm_waiting").toHaveText("9 waiting");
});

test("“Not now” closes the question, and the next link replaces it", async () => {
    server.question = QUESTION;
    await mountUnlinked();
    await click("[data-drop='crm.lead,7']");
    await settle();
    await click("input[value='address']");
    await animationFrame();
    await click("[data-drop='res.partner,9']");
    await settle();
    expect(".o_easycrm_question").toHaveCount(1);
    expect("input[value='these']").toBeChecked();
    await click("input[value='address']");
    await animationFrame();
    await click(".o_easycrm_not_now");
    await settle();
    expect(".o_easycrm_question").toHaveCount(0);
    expect.verifySteps(["link 9 to crm.lead,7", "link 8 to res.partner,9"]);
});

test("what is put back on its record leaves in its place, and Undo brings it again", async () => {
    server.reasons = [
        {
            ...{link_id: 31, sentence: "Taken off by you", when: "2026-11-24 09:00:00"},
            record: {model: "res.partner", id: 9, name: "Lena", label: "contact"},
            ...{removed: true, can_take_off: false, can_put_back: true},
        },
    ];
    mockService("action", {doAction: () => expect.step("left the screen")});
    await mountUnlinked();
    await click("[data-key='m:7'] .o_easycrm_check");
    await click(".o_easycrm_why_toggle");
    await settle();
    await click(".o_easycrm_put_back");
    await advanceTime(3000);
    await settle();
    expect.verifySteps(["put back 31"]);
    expect(subjects()).toEqual(["Mail 8", "Mail 7", "Mail 6", "Mail 5", "Mail 4"]);
    expect(selected()).toEqual(["Mail 7"]);
    expect(".o_easycrm_waiting").toHaveText("8 waiting");
    expect(".o_notification .o_notification_content").toHaveText("Put back on Lena.");
    await click(".o_notification_buttons button");
    await advanceTime(3000);
    await settle();
    expect.verifySteps(["undo 1"]);
    expect(subjects()[0]).toBe("Mail 9");
    expect(selected()).toEqual(["Mail 7"]);
});

test("what is ignored can be seen, and brought back", async () => {
    await mountUnlinked();
    await keys("i");
    expect.verifySteps(["ignore 9 these"]);
    expect(".o_easycrm_waiting").toHaveText("8 waiting");
    await click(".o_easycrm_pane .o_easycrm_ignore");
    await settle();
    await click("[data-scope='domain']");
    await settle();
    expect.verifySteps(["ignore 8 domain"]);
    await click(".o_searchview_dropdown_toggler");
    await settle();
    await click(".o_filter_menu .o_menu_item:contains(Ignored)");
    await settle();
    expect(".o_easycrm_waiting").toHaveText("2 ignored");
    expect(subjects()).toEqual(["Mail 9", "Mail 8"]);
    expect(".o_easycrm_ignore").toHaveCount(0);
    document.activeElement.blur();
    await keys("i");
    expect.verifySteps(["bring back 9"]);
    expect(subjects()).toEqual(["Mail 8"]);
});
