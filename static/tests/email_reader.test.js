import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";

import {makeMockEnv, mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";

import {EmailReader} from "@easycrm_mail/timeline/email_reader";
import {email} from "./timeline_helpers";

describe.current.tags("desktop");
defineMailModels();

test("a body that is not kept is shown as it was read, and read anew for images", async () => {
    onRpc("easycrm.email", "easycrm_read_large", ({args, kwargs}) => {
        const isRemote = Boolean(kwargs.remote);
        expect.step(`read ${args[0]} ${isRemote}`);
        return {
            email_id: 1,
            body: {
                document: `<html><body>${isRemote ? "Images" : "Text"}</body></html>`,
                has_quote: false,
                remote_count: 1,
                remote_hosts: ["images.example"],
            },
        };
    });
    await makeMockEnv();
    await mountWithCleanup(EmailReader, {
        props: {email: email(1, {large: true, snippet: "The text is in the mailbox."})},
    });
    expect(".o_easycrm_large").toHaveText(/The text is in the mailbox/);
    await click(".o_easycrm_large_show");
    await animationFrame();
    expect.verifySteps(["read 1 false"]);
    expect(".o_easycrm_large").toHaveCount(0);
    expect("iframe").toHaveAttribute("srcdoc", /Text/);
    await click(".o_easycrm_remote_show");
    await animationFrame();
    expect.verifySteps(["read 1 true"]);
    expect("iframe").toHaveAttribute("srcdoc", /Images/);
    expect(".o_easycrm_remote_show").toHaveCount(0);
});
