import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click, waitFor} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";

import {makeMockEnv, mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";

import {BodyFrame} from "@easycrm_mail/timeline/body_frame";
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

test("of thousands who got it some are named and the others counted", async () => {
    await makeMockEnv();
    await mountWithCleanup(EmailReader, {
        props: {email: email(1, {more_people: 19000})},
    });
    expect(".o_easycrm_more_people").toHaveText("and 19000 more");
});

test("folded, quoted text leaves no line of Outlook's behind", async () => {
    await makeMockEnv();
    await mountWithCleanup(BodyFrame, {
        props: {
            document: `<html><head><style>[hidden] { display: none; }</style></head><body>
                <p>Yes, gladly.</p>
                <div class="own" style="border-top: solid 1pt"><p>Signed</p></div>
                <div class="line" style="border-top: solid 1pt">
                    <p data-o-mail-quote="1"><b>From:</b> Anna</p>
                </div>
                <p data-o-mail-quote="1">Would you?</p></body></html>`,
        },
    });
    await waitFor(".o_easycrm_frame_loaded");
    expect(":iframe .line").not.toBeDisplayed();
    expect(":iframe .own").toBeDisplayed();
});
