import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click} from "@odoo/hoot-dom";
import {animationFrame, mockDate} from "@odoo/hoot-mock";

import {mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";
import {MainComponentsContainer} from "@web/core/main_components_container";

import {MailingResults} from "@easycrm_mail/campaign/mailing_results";

describe.current.tags("desktop");
defineMailModels();

beforeEach(() => mockDate("2026-11-30 10:00:00", 0));

const RESULTS = {
    sent: 50_000,
    tiles: {
        delivered: 48_905,
        opened: 13_204,
        machine: 9318,
        clicked: 3374,
        replied: 148,
        deferred: 0,
        bounced: 912,
        bounced_hard: 604,
        unsubscribed: 171,
        complained: 9,
    },
    curve: [],
    links: [
        {id: 1, label: "Pricing", url: "https://a.example", people: 1822},
        {id: 2, label: "Visit", url: "https://b.example", people: 911},
    ],
    domains: [
        {
            name: "gmail.com",
            value: "gmail.com",
            sent: 18_402,
            delivered: 18_144,
            opened: 5334,
            bounced: 221,
        },
        {
            name: "t-online.de",
            value: "t-online.de",
            sent: 4260,
            delivered: 3966,
            opened: 872,
            bounced: 273,
        },
    ],
    senders: [
        {
            name: "SendGrid",
            value: 1,
            sent: 50_000,
            delivered: 48_905,
            opened: 0,
            bounced: 912,
        },
    ],
    bounces: [{kind: "unknown", reason: "Address does not exist", count: 604}],
    unconfirmed: {count: 183, at: "2026-11-30 08:33:00", minutes: 60},
    is_live: false,
};

async function mountResults(values = {}) {
    onRpc("mailing.mailing", "easycrm_get_results", () => ({...RESULTS, ...values}));
    const record = {
        resId: 7,
        resModel: "mailing.mailing",
        data: {state: "done"},
        isDirty: async () => false,
        load: async () => expect.step("form reloaded"),
    };
    record.model = {root: record};
    const props = {record, readonly: true};
    await mountWithCleanup(MainComponentsContainer);
    await mountWithCleanup(MailingResults, {props});
}

test("each number of the results stands with what it is a part of", async () => {
    await mountResults();
    const tile = (kind) => `.o_easycrm_tiles [data-kind=${kind}]`;
    expect(`${tile("delivered")} .o_easycrm_tile_ratio`).toHaveText("97.8 %");
    expect(tile("delivered")).toHaveText(/of 50,000 handed over/);
    expect(`${tile("opened")} .o_easycrm_tile_ratio`).toHaveText("27.0 %");
    expect(`${tile("opened")} .o_easycrm_tile_ratio`).toHaveAttribute(
        "title",
        "of 48,905 delivered"
    );
    expect(`${tile("machine")} .o_easycrm_tile_number`).toHaveText("9,318");
    expect(tile("bounced")).toHaveText(/604 hard, 308 other/);
    expect(tile("unsubscribed")).toHaveText(/9 spam reports/);
    expect(tile("deferred")).toHaveCount(0);
    expect(".o_easycrm_results_table .text-danger").toHaveText("6.4 %");
});

test("where nothing has happened yet there is no empty curve", async () => {
    const hour = {hour: "2026-11-30 09:00:00", opened: 0, clicked: 0, machine: 0};
    await mountResults({curve: [hour], is_live: true});
    expect(".o_easycrm_results_chart").toHaveCount(0);
    expect(".o_easycrm_no_curve").toHaveText(/Nobody has opened it yet/);
});

test("what is not confirmed is sent again by a person alone", async () => {
    onRpc("mailing.mailing", "action_easycrm_send_unconfirmed", () => {
        expect.step("sent again");
        return true;
    });
    await mountResults();
    expect(".o_easycrm_unconfirmed").toHaveText(
        /183 not confirmed. They were handed over at 8:33\sAM, and no event came back within 60 minutes/
    );
    await click(".o_easycrm_send_again");
    await animationFrame();
    expect(".modal-title").toHaveText("Send again to 183 recipients?");
    expect.verifySteps([]);
    await click(".modal .btn-primary");
    await animationFrame();
    expect.verifySteps(["sent again", "form reloaded"]);
});

test("a number opens those that it counts", async () => {
    onRpc("mailing.mailing", "action_easycrm_view_recipients", ({args}) => {
        expect.step(args.slice(1));
        return {type: "ir.actions.act_window_close"};
    });
    await mountResults();
    await click("[data-kind=clicked] button");
    await animationFrame();
    await click(".o_easycrm_results_bars button:contains('Pricing')");
    await animationFrame();
    expect.verifySteps([
        ["clicked", null, "Clicked"],
        ["link", 1, "Pricing"],
    ]);
});
