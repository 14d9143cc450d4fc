import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click} from "@odoo/hoot-dom";

import {
    getService,
    makeMockEnv,
    mountWithCleanup,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

import {EmptyState} from "@easycrm_mail/timeline/empty_state";

describe.current.tags("desktop");
defineMailModels();

test("where connecting was left, an empty timeline leads back to it", async () => {
    await makeMockEnv();
    const record = {resModel: "res.partner", data: {name: "Anna Berg"}};
    const words = "You stopped at “Sign in” today at 6:52 AM.";
    const left = {id: 9, email: "mira@tallwood.example", words};
    patchWithCleanup(getService("easycrm_mail.connect"), {
        open: (params) => expect.step(JSON.stringify(params || {})),
    });
    await mountWithCleanup(EmptyState, {
        props: {kind: "connect", record, detail: {left}},
    });
    expect(".o_easycrm_left_words").toHaveText(words);
    expect(".o_easycrm_way").toHaveCount(0);
    await click("button:contains(Go on)");
    await click("button:contains(Another mailbox)");
    expect.verifySteps(['{"accountId":9}', "{}"]);
});
