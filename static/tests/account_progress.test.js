import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {advanceTime, animationFrame} from "@odoo/hoot-mock";

import {
    getService,
    makeMockEnv,
    mountWithCleanup,
} from "@web/../tests/web_test_helpers";

import {AccountProgress} from "@easycrm_mail/sync/account_progress";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";
import {Timeline} from "@easycrm_mail/timeline/timeline";
import {page} from "./timeline_helpers";

describe.current.tags("desktop");
defineMailModels();

const WORDS = ".o_easycrm_account_progress_words";

/** A first reading of 8,900 emails, 50 a second, told every two seconds. */
async function read(seconds) {
    const {onNews} = getService("easycrm_mail.account");
    for (let at = 0; at <= seconds; at += 2) {
        onNews({account_id: 7, event: "progress", done: at * 50, total: 8900});
        await advanceTime(2000);
    }
    await animationFrame();
}

test("a mailbox tells how far its first reading is, and how long it takes", async () => {
    await makeMockEnv();
    const record = {
        resId: 7,
        data: {sync_health: "reading", sync_done: 100, sync_total: 8900},
    };
    record.model = {root: record};
    await mountWithCleanup(AccountProgress, {props: {record, readonly: true}});
    expect(WORDS).toHaveText("100 of 8,900 emails read");
    await read(40);
    expect(WORDS).toHaveText("2,000 of 8,900 emails read, about 2 min left");
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "22");
    expect("[role=progressbar]").toHaveAttribute(
        "aria-valuetext",
        "2,000 of 8,900 emails read, about 2 min left"
    );
});

test("a list is read anew when the reading ends", async () => {
    await makeMockEnv();
    const record = {
        resId: 7,
        data: {sync_health: "reading", sync_done: 100, sync_total: 8900},
        model: {root: {load: () => expect.step("list reloaded")}},
    };
    await mountWithCleanup(AccountProgress, {props: {record, readonly: true}});
    await read(10);
    expect.verifySteps([]);
    getService("easycrm_mail.account").onNews({account_id: 7, event: "synced"});
    expect.verifySteps(["list reloaded"]);
});

test("an empty timeline tells how long the first reading takes", async () => {
    await makeMockEnv();
    const record = {resModel: "res.partner", resId: 7, data: {name: "Anna Berg"}};
    record.model = {root: null};
    const progress = {done: 2000, total: 8900};
    const answers = {
        easycrm_planned: [],
        easycrm_timeline: page([], {empty: "first_sync", progress}),
    };
    const orm = {silent: {call: async (model, method) => answers[method]}};
    const store = new TimelineStore(orm, "res.partner", 7);
    await store.load();
    await read(40);
    await mountWithCleanup(Timeline, {props: {store, record}});
    expect(".o_easycrm_empty_first_sync p:eq(0)").toHaveText("2,000 of 8,900 read");
    expect(".o_easycrm_empty_first_sync p:eq(1)").toHaveText(
        "About 2 min left. The newest emails come first, so they may show here any moment."
    );
});
