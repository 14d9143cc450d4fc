import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, queryAllTexts} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {
    getService,
    makeMockEnv,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import {WhyPanel} from "@easycrm_mail/timeline/why_panel";
import {email} from "./timeline_helpers";

describe.current.tags("desktop");
defineMailModels();

let history = [];
let reasons = [];

beforeEach(() => {
    history = [
        {
            ...{batch: 3, kind: "take_off", sentence: "Taken off Acme", who: "You"},
            ...{when: "2026-11-24 09:00:00", undone: false, can_undo: true},
        },
        {
            ...{batch: 2, kind: "link", sentence: "Linked to Acme", who: "Jonas"},
            ...{when: "2026-11-24 08:00:00", undone: false, can_undo: false},
        },
    ];
    reasons = [];
    onRpc("easycrm.email", "easycrm_why", () => reasons);
    onRpc("easycrm.email", "easycrm_sharing", () => ({privacy: false, sentence: ""}));
    onRpc("easycrm.email", "easycrm_history", () => history);
    onRpc("easycrm.email.copy", "unlinked_count", () => 1);
    onRpc("easycrm.email.copy", "undo", ({args: [batch]}) => {
        expect.step(`undo ${batch}`);
        history[0] = {...history[0], undone: "undone by you", can_undo: false};
        return {count: 1, message: "Undone for 1 mail"};
    });
});

test("what was done is told, and one's own step can be undone", async () => {
    await makeMockEnv();
    const onClose = () => expect.step("closed");
    await mountWithCleanup(WhyPanel, {props: {email: email(1), onClose}});
    await animationFrame();
    const {state, watch} = getService("easycrm_mail.unlinked");
    watch();
    const before = state.changes;
    expect(queryAllTexts(".o_easycrm_step_words")).toEqual([
        "Taken off Acme",
        "Linked to Acme",
    ]);
    expect(".o_easycrm_undo_step").toHaveCount(1);
    await click("[data-batch='3'] .o_easycrm_undo_step");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["undo 3"]);
    expect(".o_easycrm_undo_step").toHaveCount(0);
    expect("[data-batch='3']").toHaveText(/undone by you/);
    expect(".o_notification_content").toHaveText("Undone for 1 mail");
    expect(state.changes).toBe(before + 1);
});

test("the focus stays where something was put back", async () => {
    const link = {
        ...{link_id: 31, sentence: "Taken off by you", when: "2026-11-24 09:00:00"},
        record: {model: "res.partner", id: 9, name: "Lena", label: "contact"},
        ...{removed: true, can_take_off: true, can_put_back: true},
    };
    reasons = [link];
    onRpc("easycrm.email.link", "action_put_back", () => {
        reasons = [{...link, removed: false, can_put_back: false}];
        return [4];
    });
    // (that of a timeline answers later than the panel's own questions)
    const store = reactive({
        find: () => undefined,
        load: async () => {
            await animationFrame();
            await animationFrame();
        },
    });
    await makeMockEnv();
    await mountWithCleanup(WhyPanel, {
        props: {email: email(1), store, onClose: () => true},
    });
    await animationFrame();
    await click(".o_easycrm_put_back");
    for (let turn = 0; turn < 4; turn++) {
        await animationFrame();
    }
    expect(".o_easycrm_take_off").toBeFocused();
});
