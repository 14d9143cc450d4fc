import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {click, queryAllTexts} from "@odoo/hoot-dom";
import {advanceTime, animationFrame, mockDate} from "@odoo/hoot-mock";

import {
    makeMockEnv,
    mockService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import {NoAccount} from "@easycrm_mail/account/my_account_list";
import {
    LagCell,
    MailBars,
    QuotaCell,
    TroubleCell,
} from "@easycrm_mail/health/account_cells";
import {AccountListRenderer, HealthChips} from "@easycrm_mail/health/account_list";
import {AccountStatus} from "@easycrm_mail/health/account_status";
import {barsOf, isLate, lagWords, momentWords} from "@easycrm_mail/health/health_words";

describe.current.tags("desktop");
defineMailModels();

const {DateTime} = luxon;
const MINUTE = 60_000;
const WORDS = [
    ["ok", "Up to date"],
    ["incomplete", "Incomplete"],
    ["error", "Sync Error"],
];

function recordOf(data) {
    const record = {
        resId: 7,
        resModel: "easycrm.email.account",
        data,
        fields: {sync_health: {type: "selection", selection: WORDS}},
    };
    record.model = {root: record};
    return record;
}

async function mountStatus(data) {
    await makeMockEnv();
    await mountWithCleanup(AccountStatus, {
        props: {record: recordOf(data), name: "sync_health", readonly: true},
    });
}

const WEEK = [
    {day: "2026-11-17", held: 58, stored: 58},
    {day: "2026-11-18", held: 44, stored: 41},
    {day: "2026-11-19", held: 0, stored: 0},
];

test("a lag is said in the two largest units", async () => {
    await makeMockEnv();
    const said = [0, 2, 59.9, 60, 312, 26 * 60, 12 * 24 * 60].map((minutes) =>
        String(lagWords(minutes * MINUTE))
    );
    expect(said).toEqual([
        "now",
        "2 min",
        "59 min",
        "1 h",
        "5 h 12 min",
        "1 d 2 h",
        "12 d",
    ]);
});

test("a lag is late beyond what the server says, and never where it says 0", () => {
    expect(isLate(15 * MINUTE, 15)).toBe(false);
    expect(isLate(16 * MINUTE, 15)).toBe(true);
    expect(isLate(9999 * MINUTE, 0)).toBe(false);
});

test("any mail at all is seen in the bars", () => {
    const days = [0, 1, 50, 100].map((count, number) => ({
        day: `2026-11-0${number + 1}`,
        count,
    }));
    expect(barsOf(days).map(({height}) => height)).toEqual([0, 8, 50, 100]);
    expect(barsOf([{day: "2026-11-01", count: 0}])[0].height).toBe(0);
});

test("a lag goes on by itself, and turns red when it is late", async () => {
    mockDate("2026-11-24 09:00:00");
    await makeMockEnv();
    const record = recordOf({
        last_sync: DateTime.now().minus({minutes: 13, seconds: 30}),
        late_minutes: 15,
    });
    await mountWithCleanup(LagCell, {
        props: {record, name: "last_sync", readonly: true},
    });
    expect(".o_easycrm_lag div").toHaveText("13 min");
    expect(".text-danger").toHaveCount(0);
    await advanceTime(2 * MINUTE);
    await animationFrame();
    expect(".o_easycrm_lag div").toHaveText("15 min");
    expect(".o_easycrm_lag .text-danger").toHaveCount(1);
});

test("a mailbox that was never read has no lag", async () => {
    await makeMockEnv();
    const record = recordOf({last_sync: false, late_minutes: 15});
    await mountWithCleanup(LagCell, {
        props: {record, name: "last_sync", readonly: true},
    });
    expect(".o_easycrm_lag").toHaveText("—");
});

test("the time is said as the server says it", () => {
    const now = DateTime.fromISO("2026-11-24T09:00:00", {locale: "en-US"});
    const said = [{minutes: 20}, {days: 1}, {days: 9}].map((ago) =>
        momentWords(now.minus(ago), now).replace(/\u202f/g, " ")
    );
    expect(said).toEqual(["8:40 AM", "Mon 9:00 AM", "Nov 15"]);
});

test("of a mailbox whose owner has left it only says since when", async () => {
    mockDate("2026-11-24 09:00:00");
    await makeMockEnv();
    const record = recordOf({
        last_sync: DateTime.now().minus({minutes: 13}),
        late_minutes: 15,
        quota_used: -1,
        stopped_at: DateTime.fromISO("2026-11-22T09:00:00"),
    });
    await mountWithCleanup(LagCell, {
        props: {record, name: "last_sync", readonly: true},
    });
    expect(queryAllTexts(".o_easycrm_lag > *")).toEqual(["—", "left Nov 22"]);
    await mountWithCleanup(QuotaCell, {
        props: {record, name: "quota_used", readonly: true},
    });
    expect("span.text-muted").toHaveText("—");
});

test("what is still to be handed over stands where an error would", async () => {
    const env = await makeMockEnv({
        onClickViewButton({clickParams, getResParams}) {
            expect.step(`${clickParams.name} of ${getResParams().resId}`);
        },
    });
    const record = recordOf({
        trouble: {title: "", detail: "", is_error: false},
        hand_over_label: "Hand over 4 conversations",
    });
    await mountWithCleanup(TroubleCell, {
        env,
        props: {record, name: "trouble", readonly: true},
    });
    expect("button").toHaveText("Hand over 4 conversations");
    await click("button");
    expect.verifySteps(["action_hand_over of 7"]);
});

test("the status is a word with an icon, never a colour alone", async () => {
    await mountStatus({
        sync_health: "incomplete",
        gap_count: 3,
        week_days: WEEK,
        week_line: "",
    });
    expect(".o_easycrm_status").toHaveText("Incomplete");
    expect(".o_easycrm_status .fa-adjust").toHaveCount(1);
});

test("a click on it tells of the last days, a cell each, and what is missing", async () => {
    await mountStatus({
        sync_health: "incomplete",
        gap_count: 3,
        week_days: WEEK,
        week_line: "7 days: 99 of 102, checked 03:10",
    });
    await click(".o_easycrm_status");
    await animationFrame();
    expect(".o_easycrm_week_title").toHaveText("7 days: 99 of 102, checked 03:10");
    expect(".o_easycrm_week p").toHaveText(
        "3 emails are in the mailbox but not here yet. They are being fetched; the status turns green when all are here."
    );
    expect(queryAllTexts(".o_easycrm_week_day")).toEqual(["58", "41/44", "0"]);
    expect(".o_easycrm_week_day.o_easycrm_tint_warning").toHaveText("41/44");
    expect(queryAllTexts(".o_easycrm_week_days small")).toEqual(["Tue", "Wed", "Thu"]);
    await click(".o_easycrm_status");
    await animationFrame();
    expect(".o_easycrm_week").toHaveCount(0);
});

test("it is compared when the button is pressed", async () => {
    onRpc("easycrm.email.account", "action_compare_now", ({args}) => {
        expect.step(`compare ${args[0]}`);
        return {type: "ir.actions.client", tag: "display_notification"};
    });
    mockService("action", {doAction: ({tag}) => expect.step(tag)});
    await mountStatus({sync_health: "ok", gap_count: 0, week_days: [], week_line: ""});
    await click(".o_easycrm_status");
    await animationFrame();
    await click(".o_easycrm_compare_now");
    await animationFrame();
    expect.verifySteps(["compare 7", "display_notification"]);
    expect(".o_easycrm_week").toHaveCount(0);
});

for (const [health, words] of [
    ["paused", "It is not read now, and not compared."],
    ["stopped", "Not compared any more: its owner has left."],
]) {
    test(`a mailbox that is ${health} cannot be compared`, async () => {
        await mountStatus({
            sync_health: health,
            gap_count: 0,
            week_days: [],
            week_line: "",
        });
        await click(".o_easycrm_status");
        await animationFrame();
        expect(".o_easycrm_compare_now").toHaveCount(0);
        expect(".o_easycrm_week p").toHaveText(words);
    });
}

test("the bars are told in words to those who do not see them", async () => {
    await makeMockEnv();
    const days = [
        {day: "2026-11-23", count: 4},
        {day: "2026-11-24", count: 0},
    ];
    const record = recordOf({mails_a_day: days});
    await mountWithCleanup(MailBars, {
        props: {record, name: "mails_a_day", readonly: true},
    });
    expect(".o_easycrm_bars").toHaveAttribute(
        "aria-label",
        "Emails a day, the oldest first: 4, 0"
    );
    expect(".o_easycrm_bars span:eq(0)").toHaveAttribute(
        "title",
        "Nov 23, 2026: 4 emails"
    );
});

test("a service that does not count has no quota", async () => {
    await makeMockEnv();
    const record = recordOf({quota_used: -1});
    await mountWithCleanup(QuotaCell, {
        props: {record, name: "quota_used", readonly: true},
    });
    expect("small").toHaveText("no quota");
    expect(".progress").toHaveCount(0);
});

test("on a small screen the status stands beside the mailbox", () => {
    const names = ["email", "user_id", "sync_health"];
    const activeNames = (isSmall) => {
        const renderer = Object.create(AccountListRenderer.prototype, {
            env: {value: {isSmall}},
            props: {value: {list: {evalContext: {}}}},
            allColumns: {value: names.map((name) => ({name}))},
        });
        return renderer.getActiveColumns().map(({name}) => name);
    };
    expect(activeNames(false)).toEqual(names);
    expect(activeNames(true)).toEqual(["email", "sync_health"]);
});

test("who has no mailbox yet begins with a service", async () => {
    mockService("easycrm_mail.connect", {
        open: ({provider}) => expect.step(provider),
    });
    await makeMockEnv();
    await mountWithCleanup(NoAccount, {
        props: {noContentHelp: "Connect your mailbox", showRibbon: false},
    });
    expect(".o_nocontent_help").toHaveText(/^Connect your mailbox/);
    expect(queryAllTexts(".o_easycrm_way .fw-bold")).toEqual([
        "Gmail",
        "Microsoft 365",
        "Other mailbox",
    ]);
    await click(".o_easycrm_way[data-provider=outlook]");
    expect.verifySteps(["outlook"]);
});

test("chips count, and are the filters of the list, one at a time", async () => {
    onRpc("easycrm.email.account", "easycrm_health_counts", () => ({
        total: 20,
        counts: {ok: 16, error: 2},
        minutes: 5,
        oldest: "2026-11-23 07:00:00",
        late_minutes: 15,
    }));
    mockDate("2026-11-24 09:00:00", +0);
    const searchModel = new (class extends EventTarget {
        resModel = "easycrm.email.account";
        globalDomain = [];
        query = [{searchItemId: 2}];
        searchItems = {
            1: {id: 1, type: "filter", name: "ok"},
            2: {id: 2, type: "filter", name: "error"},
        };
        toggleSearchItem(id) {
            const isOn = this.query.some(({searchItemId}) => searchItemId === id);
            this.query = isOn
                ? this.query.filter(({searchItemId}) => searchItemId !== id)
                : [...this.query, {searchItemId: id}];
        }
        _notify() {
            expect.step("searched anew");
        }
    })();
    const env = await makeMockEnv({searchModel});
    const model = {config: {fields: {sync_health: {selection: WORDS}}}, root: {}};
    const chips = await mountWithCleanup(HealthChips, {env, props: {model}});
    expect(
        queryAllTexts(".o_easycrm_filter").map((text) => text.replace("\n", " "))
    ).toEqual(["All 20", "Up to date 16", "Sync Error 2"]);
    expect("[data-health=error]").toHaveAttribute("aria-pressed", "true");
    expect("[data-health=all]").toHaveAttribute("aria-pressed", "false");
    expect(".o_easycrm_health .text-danger").toHaveText("1 d 2 h");
    chips.show("ok");
    expect(searchModel.query).toEqual([{searchItemId: 1}]);
    chips.show();
    expect(searchModel.query).toEqual([]);
    expect.verifySteps(["searched anew"]);
});
