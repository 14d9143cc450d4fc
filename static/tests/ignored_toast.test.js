import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";

import {getService, mountWebClient, onRpc} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");
defineMailModels();

test("what was ignored in a list is told, and can be undone in the toast", async () => {
    onRpc("easycrm.email.copy", "undo", ({args: [batch]}) => {
        expect.step(`undo ${batch}`);
        return {count: 2, message: "Undone for 2 mails"};
    });
    await mountWebClient();
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "easycrm_mail.ignored",
        params: {batch: 7, count: 2, message: "2 mails ignored"},
    });
    await animationFrame();
    expect(".o_notification_content").toHaveText("2 mails ignored");
    await click(".o_notification_buttons button");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["undo 7"]);
    expect(".o_notification_content").toHaveText("Undone for 2 mails");
});
