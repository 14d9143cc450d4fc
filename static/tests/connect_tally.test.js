import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {mockDate} from "@odoo/hoot-mock";

import {makeMockEnv} from "@web/../tests/web_test_helpers";

import {Tally} from "@easycrm_mail/connect/connect_tally";
import {
    barWords,
    progressWords,
    readsWords,
    recordsWords,
    resultWords,
} from "@easycrm_mail/connect/connect_words";

describe.current.tags("desktop");
defineMailModels();

beforeEach(async () => {
    mockDate("2026-11-30 12:00:00");
    await makeMockEnv();
});

const ALL = {
    folders: ["INBOX", "Sent"],
    since: "2026-11-01",
    ignoreAutomatic: false,
    ignorePrivate: false,
};

/** A mail as the server tells of it. */
function row(key, day, kind = "strangers", values = {}) {
    const {isAutomatic = false, contacts = [], leads = [], opportunities = []} = values;
    const sender = values.privateSender || false;
    return [key, day, kind, isAutomatic, contacts, leads, opportunities, sender];
}

function makeTally() {
    const tally = new Tally();
    tally.add("INBOX", [
        row("a", "2026-11-20", "match", {
            contacts: [1, 2],
            leads: [7],
            opportunities: [7],
        }),
        row("b", "2026-11-10", "match", {contacts: [1]}),
        row("c", "2026-11-20", "strangers", {isAutomatic: true}),
        row("d", "2026-10-20", "strangers"),
    ]);
    tally.add("Sent", [row("e", "2026-11-20", "colleagues")]);
    return tally;
}

test("what is wanted is counted, records once each", () => {
    const counts = makeTally().count(ALL);
    expect(counts).toMatchObject({
        mails: 4,
        match: 2,
        strangers: 1,
        colleagues: 1,
        automatic: 0,
        contacts: 2,
        leads: 1,
        opportunities: 1,
    });
});

test("a mail in two folders counts once, and in each of them", () => {
    const tally = makeTally();
    tally.add("Sent", [row("a", "2026-11-20", "match", {contacts: [1, 2]})]);
    expect(tally.count(ALL).mails).toBe(4);
    expect(tally.countFolder("Sent", ALL.since)).toBe(2);
    expect(tally.count({...ALL, folders: ["Sent"]})).toMatchObject({
        mails: 2,
        match: 1,
    });
});

test("a page that comes twice counts once", () => {
    const tally = makeTally();
    tally.add("INBOX", [row("b", "2026-11-10", "match", {contacts: [1]})]);
    expect(tally.count(ALL).mails).toBe(4);
});

test("choices count at once", () => {
    const tally = makeTally();
    expect(tally.count({...ALL, since: "2026-11-15"})).toMatchObject({
        mails: 3,
        match: 1,
        contacts: 2,
    });
    expect(tally.count({...ALL, since: "2026-10-01"}).mails).toBe(5);
    expect(tally.count({...ALL, ignoreAutomatic: true})).toMatchObject({
        mails: 4,
        wanted: 3,
        strangers: 0,
        automatic: 1,
    });
    expect(tally.count({...ALL, folders: []}).mails).toBe(0);
});

test("what looks private is left out by its switch, and its senders are named", () => {
    const tally = makeTally();
    tally.add("INBOX", [
        row("p", "2026-11-20", "strangers", {privateSender: "a@bank.example"}),
        row("q", "2026-11-20", "strangers", {privateSender: "b@bank.example"}),
        row("r", "2026-11-12", "colleagues", {privateSender: "b@bank.example"}),
        row("s", "2026-11-12", "strangers", {
            privateSender: "c@bank.example",
            isAutomatic: true,
        }),
    ]);
    expect(tally.count(ALL)).toMatchObject({
        mails: 8,
        wanted: 8,
        private: 0,
        senders: [],
    });
    expect(tally.count({...ALL, ignorePrivate: true})).toMatchObject({
        mails: 8,
        wanted: 4,
        private: 4,
        strangers: 1,
        colleagues: 1,
        senders: [
            ["b@bank.example", 2],
            ["a@bank.example", 1],
            ["c@bank.example", 1],
        ],
    });
    // the first reason counts, as when the mailbox is read
    const both = tally.count({...ALL, ignorePrivate: true, ignoreAutomatic: true});
    expect(both).toMatchObject({private: 3, automatic: 2, wanted: 3});
});

test("what a rule leaves out is never wanted, what it keeps off contacts is", () => {
    const tally = makeTally();
    tally.add("INBOX", [
        row("x", "2026-11-20", "never_store", {
            isAutomatic: true,
            privateSender: "a@bank.example",
        }),
        row("y", "2026-11-20", "never_link"),
    ]);
    const choices = {...ALL, ignoreAutomatic: true, ignorePrivate: true};
    expect(tally.count(choices)).toMatchObject({
        mails: 6,
        wanted: 4,
        never_store: 1,
        never_link: 1,
        private: 0,
        match: 2,
        contacts: 2,
    });
    expect(tally.count(choices).bars[3]).toMatchObject({never_store: 1, never_link: 1});
});

test("bars are weeks from the first wanted day until today, empty ones too", () => {
    const {bars, unit} = makeTally().count(ALL);
    expect(unit).toBe("week");
    expect(bars.map(({from}) => from)).toEqual([
        "2026-10-26",
        "2026-11-02",
        "2026-11-09",
        "2026-11-16",
        "2026-11-23",
        "2026-11-30",
    ]);
    expect(bars.map(({match}) => match)).toEqual([0, 0, 1, 1, 0, 0]);
    expect(bars[3]).toMatchObject({match: 1, strangers: 1, colleagues: 1});
});

test("bars of everything begin with the oldest mail, many are months", () => {
    const tally = makeTally();
    const everything = {...ALL, since: "1970-01-01"};
    expect(tally.count(everything).bars[0].from).toBe("2026-10-19");
    tally.add("INBOX", [row("old", "2021-02-03")]);
    const {bars, unit} = tally.count(everything);
    expect(unit).toBe("month");
    expect([bars[0].from, bars.length]).toEqual(["2021-02-01", 70]);
    expect(new Tally().count(everything).bars.length).toBe(1);
});

test("progress is exact at the end, and about before", () => {
    expect(progressWords({done: 702, total: 1897, status: "counting"})).toBe(
        "702 of about 1,900 mails looked at"
    );
    expect(progressWords({done: 1904, total: 1904, status: "done"})).toBe(
        "1,904 of 1,904 mails looked at, headers only"
    );
    expect(progressWords({done: 0, total: 0, status: "counting"})).toBe(
        "Counting the mails…"
    );
});

test("the result is a sentence, whatever was found", () => {
    const counts = {
        mails: 1904,
        match: 612,
        contacts: 88,
        leads: 14,
        opportunities: 14,
    };
    const words = (values, isAll) =>
        resultWords({...counts, ...values}, "2026-08-01", isAll);
    expect(words()).toBe(
        "1,904 mails since Aug 1: 612 match 88 contacts and 14 open opportunities"
    );
    expect(words({leads: 0, opportunities: 0}, true)).toBe(
        "1,904 mails: 612 match 88 contacts"
    );
    expect(words({match: 0})).toBe("1,904 mails since Aug 1: none match a contact yet");
    expect(words({mails: 0, match: 0})).toBe("No mail since Aug 1 in these folders");
    expect(words({mails: 0, match: 0}, true)).toBe("There is no mail in these folders");
    expect(words({mails: 1, match: 1, contacts: 1, leads: 1, opportunities: 1})).toBe(
        "1 mail since Aug 1: 1 match 1 contact and 1 open opportunity"
    );
});

test("records are named as far as there are any", () => {
    expect(recordsWords({contacts: 0, leads: 2, opportunities: 0})).toBe("2 leads");
    expect(recordsWords({contacts: 3, leads: 1, opportunities: 0})).toBe(
        "3 contacts and 1 lead"
    );
});

test("what is read is told with how long it takes", () => {
    expect(readsWords(1000, "gmail")).toBe(
        "Reads 1,000 mails, newest first, about 4 min. You can go on working."
    );
    expect(readsWords(1, "imap")).toBe("Reads 1 mail. You can go on working.");
    expect(readsWords(0, "imap")).toBe(
        "New mail comes in from now on. You can go on working."
    );
});

test("under the bars stands the month of the first wanted day, where there is room", () => {
    const weeks = (since) => {
        const {bars, unit} = makeTally().count({...ALL, since});
        return barWords(bars, unit, since).filter(Boolean).join(" ");
    };
    expect(weeks("2026-09-01")).toBe("Sep Oct Nov");
    expect(weeks("2026-11-01")).toBe("Nov");
    expect(weeks("2026-10-20")).toBe("Oct Nov");
    expect(weeks("2026-08-29")).toBe("Aug Sep Oct Nov");
    expect(weeks("2026-07-28")).toBe("Aug Sep Oct Nov");
    const tally = makeTally();
    tally.add("INBOX", [row("old", "2021-12-03")]);
    const {bars, unit} = tally.count({...ALL, since: "1970-01-01"});
    expect(barWords(bars, unit, "1970-01-01").filter(Boolean)).toEqual([
        "2022",
        "2023",
        "2024",
        "2025",
        "2026",
    ]);
});
