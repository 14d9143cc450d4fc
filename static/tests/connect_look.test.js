import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, queryAllTexts} from "@odoo/hoot-dom";
import {Deferred, advanceTime, animationFrame} from "@odoo/hoot-mock";

import {contains} from "@web/../tests/web_test_helpers";

import {
    openWindow,
    page,
    serveMailbox,
    server,
    settle,
    takeAsked,
} from "./connect_helpers";

describe.current.tags("desktop");
defineMailModels();

const PROGRESS = ".o_easycrm_connect_progress_words";
const SENTENCE = ".o_easycrm_connect_sentence";

beforeEach(serveMailbox);

test("a look goes from page to page, newest first, and tells what would come in", async () => {
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked()).toEqual([
        "INBOX 2026-09-01 2026-11-30 12:00:00 ",
        "INBOX 2026-09-01 2026-11-30 12:00:00 10",
        "INBOX 2026-09-01 2026-11-30 12:00:00 20",
        "Sent 2026-09-01 2026-11-30 12:00:00 ",
        "Sent 2026-09-01 2026-11-30 12:00:00 10",
    ]);
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
    expect(SENTENCE).toHaveText("42 mails since Sep 1: 14 match 10 contacts");
    expect(queryAllTexts(".o_easycrm_connect_number")).toEqual(["14", "28", "0"]);
    expect(queryAllTexts(".o_easycrm_connect_folders > div > span")).toEqual([
        "30",
        "12",
        "6",
    ]);
    expect(".o_easycrm_connect_chart canvas").toHaveAttribute(
        "aria-label",
        "42 mails since Sep 1: 14 match 10 contacts"
    );
});

test("what looks private is left out unless its switch is turned, and can be looked at", async () => {
    server.options.fields = ["share_level", "ignore_private", "unlinked_keep"];
    Object.assign(server.account, {ignore_private: true, unlinked_keep: "full"});
    server.mailbox = {INBOX: 30};
    const mails = page("INBOX", 0).mails;
    mails[1][7] = "info@bank.example";
    mails[2][7] = "info@bank.example";
    mails[4][2] = "never_store";
    server.instead = [page("INBOX", 0, {mails, position: ""})];
    await openWindow({accountId: 7});
    await settle();
    const PRIVATE = ".o_easycrm_connect_numbers [data-kind=private]";
    const RULE = ".o_easycrm_connect_numbers [data-kind=never_store]";
    expect(`${PRIVATE} .o_easycrm_connect_number`).toHaveText("2");
    expect(PRIVATE).toHaveText(/look private: bank, doctor, payslips/);
    expect(`${RULE} .o_easycrm_connect_number`).toHaveText("1");
    expect(".o_easycrm_connect_reads").toHaveText(/^Reads 7 mails/);
    expect(".o_easycrm_connect_senders").toHaveCount(0);
    await contains(".o_easycrm_connect_private").click();
    expect(queryAllTexts(".o_easycrm_connect_senders li")).toEqual([
        "2 from info@bank.example",
    ]);
    await contains(".o_easycrm_connect_ignore_private input").click();
    await settle();
    expect(PRIVATE).toHaveCount(0);
    expect(".o_easycrm_connect_reads").toHaveText(/^Reads 9 mails/);
    await contains(".o_easycrm_connect_choice:contains(Keep nothing) input").click();
    await settle();
    expect(".o_easycrm_connect_numbers [data-kind=strangers]").toHaveText(
        /are not kept/
    );
});

test("choices count at once; only what was not looked at yet is asked for", async () => {
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    await contains(".o_easycrm_connect_folder:contains(Sent) input").click();
    await settle();
    expect(SENTENCE).toHaveText("30 mails since Sep 1: 10 match 10 contacts");
    await contains(".o_easycrm_connect_range:contains(30 days)").click();
    await settle();
    expect(SENTENCE).toHaveText("30 mails since Oct 31: 10 match 10 contacts");
    expect(takeAsked()).toEqual([]);
    await contains(".o_easycrm_connect_folder:contains(Projekte) input").click();
    await settle();
    expect(takeAsked()).toEqual(["Projekte 2026-10-31 2026-11-30 12:00:00 "]);
    await contains(".o_easycrm_connect_range:contains(365 days)").click();
    await settle();
    // Only what lies before
    expect(takeAsked()).toEqual([
        "INBOX 2025-11-30 2026-09-01 00:00:00 ",
        "INBOX 2025-11-30 2026-09-01 00:00:00 10",
        "INBOX 2025-11-30 2026-09-01 00:00:00 20",
        "Projekte 2025-11-30 2026-10-31 00:00:00 ",
    ]);
    // And nothing of it counts twice
    expect(".o_easycrm_connect_sentence").toHaveText(
        "36 mails since Nov 30, 2025: 12 match 10 contacts"
    );
});

test("while it counts, it says how far it is, and can be stopped and gone on with", async () => {
    server.hold = new Deferred();
    await openWindow({accountId: 7});
    await settle();
    expect(PROGRESS).toHaveText("Counting the mails…");
    expect(".o_easycrm_connect_start").toBeEnabled();
    server.hold.resolve();
    server.hold = null;
    server.instead = [page("INBOX", 0)];
    await settle();
    expect(takeAsked().length).toBe(5);
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
});

test("it stops where it is asked to", async () => {
    const first = new Deferred();
    server.instead = [first];
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked()).toEqual(["INBOX 2026-09-01 2026-11-30 12:00:00 "]);
    expect(PROGRESS).toHaveText("0 of about 42 mails looked at");
    await click(".o_easycrm_connect_stop");
    first.resolve(page("INBOX", 0));
    await settle();
    expect(takeAsked()).toEqual([]);
    expect(PROGRESS).toHaveText("10 of about 42 mails looked at");
    expect(SENTENCE).toHaveCount(0);
    await click(".o_easycrm_connect_resume_count");
    await settle();
    expect(takeAsked()).toEqual([
        "INBOX 2026-09-01 2026-11-30 12:00:00 10",
        "INBOX 2026-09-01 2026-11-30 12:00:00 20",
        "Sent 2026-09-01 2026-11-30 12:00:00 ",
        "Sent 2026-09-01 2026-11-30 12:00:00 10",
    ]);
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
});

test("a pause that the service asks for goes by, and nothing is counted twice", async () => {
    server.instead = [page("INBOX", 0, {pause: 40})];
    await openWindow({accountId: 7});
    await settle();
    expect(".o_easycrm_connect_pause").toHaveText(
        "Google asks to wait 40 seconds. It goes on by itself; nothing is counted twice."
    );
    expect(PROGRESS).toHaveText("10 of about 42 mails looked at");
    await advanceTime(30_000);
    await animationFrame();
    expect(".o_easycrm_connect_pause strong").toHaveText(
        "Google asks to wait 10 seconds."
    );
    expect(takeAsked()).toEqual(["INBOX 2026-09-01 2026-11-30 12:00:00 "]);
    await advanceTime(11_000);
    await settle();
    expect(takeAsked().length).toBe(4);
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
});

test("what was refused for a while is asked for again", async () => {
    server.instead = [
        {error: "Google asks to come back later.", kind: "retry", wait: 5},
    ];
    await openWindow({accountId: 7});
    await settle();
    expect(".o_easycrm_connect_pause strong").toHaveText(
        "Google asks to wait 5 seconds."
    );
    await advanceTime(6000);
    await settle();
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
    expect(takeAsked().length).toBe(6);
});

test("a passing failure is tried again twice, then told, with a way on", async () => {
    const failure = {
        error: "Google did not answer in time.",
        kind: "retry",
        wait: false,
    };
    server.instead = [failure, failure, failure];
    await openWindow({accountId: 7});
    await settle();
    expect("[role=alert]").toHaveCount(0);
    await advanceTime(3000);
    await settle();
    await advanceTime(3000);
    await settle();
    expect(".o_easycrm_connect_result [role=alert] p").toHaveText(
        "Google did not answer in time."
    );
    expect(takeAsked().length).toBe(3);
    await click(".o_easycrm_connect_retry");
    await settle();
    expect(takeAsked().length).toBe(5);
    expect(PROGRESS).toHaveText("42 of 42 mails looked at, headers only");
});
