import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, queryAllTexts} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";

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
    onRpc("easycrm.email", "easycrm_why", () => []);
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
