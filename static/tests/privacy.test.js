import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, press, queryFirst} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {
    contains,
    defineModels,
    fields,
    getService,
    makeMockEnv,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {MainComponentsContainer} from "@web/core/main_components_container";

import {Timeline} from "@easycrm_mail/timeline/timeline";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";
import {conversation, page} from "./timeline_helpers";

describe.current.tags("desktop");

const MARK = ".o_easycrm_row .o_easycrm_privacy";
const MENU = ".o_easycrm_card_head .o_easycrm_privacy";

describe("a conversation", () => {
    defineMailModels();

    /** Whose the conversation is, and what its privacy becomes with the next change. */
    let privacy = "shared";
    let answers = {};

    beforeEach(() => {
        privacy = "shared";
        answers = {action_make_private: "private", action_share: "shared"};
        onRpc("res.partner", "easycrm_timeline", () =>
            page([{...conversation(5, [1]), privacy}])
        );
        onRpc("easycrm.email.thread", "*", ({method, args}) => {
            expect.step(`${method} ${args[0]}`);
            privacy = answers[method];
            return privacy;
        });
        onRpc("easycrm.email", "easycrm_body", () => ({
            document: "<html><body>Text</body></html>",
            has_quote: false,
            remote_count: 0,
            remote_hosts: [],
        }));
        onRpc("easycrm.email", "easycrm_why", () => []);
        onRpc("easycrm.email", "easycrm_history", () => []);
        onRpc("easycrm.email", "easycrm_sharing", () => ({
            privacy,
            sentence: privacy && `It is ${privacy}.`,
        }));
    });

    async function mountTimeline() {
        await makeMockEnv();
        const record = {resModel: "res.partner", resId: 7, data: {name: "Anna Berg"}};
        record.model = {root: record};
        const store = reactive(new TimelineStore(getService("orm"), "res.partner", 7));
        await store.load();
        await mountWithCleanup(MainComponentsContainer);
        await mountWithCleanup(Timeline, {props: {store, record}});
        return store;
    }

    async function openMenu() {
        await contains(".o_easycrm_toggle").click();
        await contains(MENU).click();
    }

    test("is marked as whose it is", async () => {
        const store = await mountTimeline();
        expect(MARK).toHaveText("Shared");
        expect(`${MARK} .fa-users`).toHaveCount(1);
        for (const kind of ["private", "kept"]) {
            privacy = kind;
            await store.load();
            await animationFrame();
            expect(MARK).toHaveText("Private");
            expect(`${MARK} .fa-lock`).toHaveCount(1);
        }
    });

    test("is marked with what colleagues see of it", async () => {
        const store = await mountTimeline();
        const [{emails}] = store.conversations;
        for (const [shared, words] of [
            ["everything", "Shared"],
            ["subject", "Shared: subject, who and when"],
            ["metadata", "Shared: who and when"],
        ]) {
            emails[0].shared = shared;
            await animationFrame();
            expect(MARK).toHaveText(words);
        }
    });

    test("of a colleague has no mark and no menu", async () => {
        privacy = false;
        await mountTimeline();
        expect(MARK).toHaveCount(0);
        await contains(".o_easycrm_toggle").click();
        expect(MENU).toHaveCount(0);
        await contains(".o_easycrm_why_toggle").click();
        expect(".o_easycrm_why").toHaveCount(1);
        expect(".o_easycrm_sharing").toHaveCount(0);
    });

    test("is made private in its menu, and shared again by Undo", async () => {
        await mountTimeline();
        await openMenu();
        expect(".o_easycrm_share").toHaveCount(0);
        await contains(".o_easycrm_make_private").click();
        expect(MENU).toHaveText("Private");
        expect.verifySteps(["action_make_private 5"]);
        expect(".o_notification").toHaveText(/This conversation is private/);
        await contains(".o_notification_buttons button").click();
        expect(MENU).toHaveText("Shared");
        expect(".o_notification").toHaveCount(0);
        expect.verifySteps(["action_share 5"]);
    });

    test("that a colleague keeps private is not offered to be shared", async () => {
        privacy = "kept";
        await mountTimeline();
        await openMenu();
        expect(".o_easycrm_privacy_title").toHaveText(/A colleague/);
        expect(".o_easycrm_share, .o_easycrm_make_private").toHaveCount(0);
    });

    test("that a colleague keeps, too, stays private, and it is said", async () => {
        privacy = "private";
        answers.action_share = "kept";
        await mountTimeline();
        await openMenu();
        await contains(".o_easycrm_share").click();
        expect(MENU).toHaveText("Private");
        expect(".o_notification").toHaveText(/It stays private/);
        expect.verifySteps(["action_share 5"]);
    });

    test("that a colleague makes private goes, though it is open", async () => {
        let mails = [{...conversation(5, [1]), privacy: false}];
        onRpc("res.partner", "easycrm_timeline", () => page(mails));
        const store = await mountTimeline();
        await contains(".o_easycrm_toggle").click();
        expect(".o_easycrm_opened").toHaveCount(1);
        mails = [];
        await store.refresh();
        await animationFrame();
        expect(".o_easycrm_conversation").toHaveCount(0);
    });

    test("is made private where it says who can read it", async () => {
        await mountTimeline();
        await contains(".o_easycrm_toggle").click();
        await contains(".o_easycrm_why_toggle").click();
        expect(".o_easycrm_sharing").toHaveText(/It is shared/);
        queryFirst(".o_easycrm_sharing .o_easycrm_make_private").focus();
        await press("Enter");
        await animationFrame();
        await animationFrame();
        expect(".o_easycrm_sharing").toHaveText(/It is private/);
        expect(".o_easycrm_sharing .o_easycrm_share").toBeFocused();
        expect.verifySteps(["action_make_private 5"]);
        await contains(".o_notification_buttons button").click();
        await animationFrame();
        expect(".o_easycrm_sharing").toHaveText(/It is shared/);
        expect.verifySteps(["action_share 5"]);
    });
});

describe("a mailbox", () => {
    const LEVELS = [
        ["everything", "Everything"],
        ["subject", "Subject, who and when"],
        ["metadata", "Who and when"],
    ];

    class Account extends models.Model {
        share_level = fields.Selection({selection: LEVELS});
        share_limit = fields.Selection({selection: LEVELS});
        _records = [{id: 1, share_level: "metadata", share_limit: "subject"}];
    }

    defineMailModels();
    defineModels([Account]);

    test("shares no more than the administrator allows, and says why", async () => {
        await mountView({
            type: "form",
            resModel: "account",
            resId: 1,
            arch: `<form>
                <field name="share_limit" invisible="1"/>
                <field name="share_level" widget="easycrm_share_level"
                    options="{'limit_field': 'share_limit'}"/>
            </form>`,
        });
        expect("input[data-value='everything']").not.toBeEnabled();
        expect("label:contains('Everything')").toHaveAttribute(
            "title",
            "More than your administrator lets mailboxes share."
        );
        expect("input[data-value='subject']").toBeEnabled();
        await click("input[data-value='subject']");
        await animationFrame();
        expect("input[data-value='subject']").toBeChecked();
    });
});
