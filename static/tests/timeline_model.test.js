import {describe, expect, test} from "@odoo/hoot";

import {localization} from "@web/core/l10n/localization";
import {defineParams, makeMockEnv} from "@web/../tests/web_test_helpers";

import {
    appendPage,
    conversationItems,
    groupByPeriod,
    newEmails,
    peopleOf,
    periodOf,
    refreshPage,
    withEmail,
    withoutEmail,
} from "@easycrm_mail/timeline/timeline_model";
import {
    countWords,
    fileSize,
    lastWords,
    levelWords,
    newsWords,
    peopleWords,
    recipientWords,
    shortTime,
    subjectWords,
} from "@easycrm_mail/timeline/timeline_words";
import {ANNA, ME, conversation, email, shape} from "./timeline_helpers";

const {DateTime} = luxon;

const HENRIK = {
    name: "",
    address: "henrik@nordlicht.example",
    me: false,
    partner_id: false,
};

function itemShape(emails, options) {
    return conversationItems(emails, {
        expanded: new Set([emails[0].id]),
        unfolded: false,
        narrow: false,
        ...options,
    }).map(({type, email: shown, hidden}) =>
        type === "fold" ? hidden : `${type} ${shown.id}`
    );
}

describe.current.tags("headless");
defineParams({lang_parameters: {week_start: 1}});

test("an older page goes below, and older mail of a known conversation into it where it stands", () => {
    const shown = [conversation(1, [9, 8]), conversation(2, [7])];
    const merged = appendPage(shown, [
        conversation(3, [6]),
        {...conversation(1, [5]), count: 3},
    ]);
    expect(shape(merged)).toEqual([
        [1, [9, 8, 5]],
        [2, [7]],
        [3, [6]],
    ]);
    expect(merged[0].count).toBe(3);
});

test("each item of a conversation has a key of its own, also with two folds", () => {
    const {emails} = conversation(1, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const options = {expanded: new Set([9, 5]), unfolded: false, narrow: false};
    const items = conversationItems(emails, options);
    expect(items.filter(({type}) => type === "fold").length).toBe(2);
    expect(new Set(items.map(({key}) => key)).size).toBe(items.length);
});

test("a mail that comes twice stands once", () => {
    const shown = [conversation(1, [9, 8])];
    expect(shape(appendPage(shown, [conversation(1, [8, 7])]))).toEqual([
        [1, [9, 8, 7]],
    ]);
});

test("news bring their conversation to the top and lose nothing below", () => {
    const shown = [conversation(1, [8]), conversation(2, [7]), conversation(3, [1])];
    expect(
        shape(refreshPage(shown, [conversation(2, [9, 7]), conversation(1, [8])]))
    ).toEqual([
        [2, [9, 7]],
        [1, [8]],
        [3, [1]],
    ]);
});

test("what the newest page should hold and does not is gone", () => {
    const shown = [conversation(1, [9, 5]), conversation(2, [8]), conversation(3, [1])];
    const fresh = [conversation(1, [9]), conversation(4, [4])];
    expect(shape(refreshPage(shown, fresh))).toEqual([
        [1, [9]],
        [4, [4]],
        [3, [1]],
    ]);
    // (what comes after the page was not asked for, unless there is nothing after it)
    expect(shape(refreshPage(shown, fresh, {isLast: true}))).toEqual([
        [1, [9]],
        [4, [4]],
    ]);
    expect(refreshPage(shown, [], {isLast: true})).toEqual([]);
});

test("an open conversation keeps the mails that a page does not bring", () => {
    const shown = [{...conversation(1, [9, 8, 2]), count: 3}];
    const keeps = (threadId) => threadId === 1;
    const fresh = [{...conversation(1, [9, 8]), count: 3}];
    expect(shape(refreshPage(shown, fresh, {isLast: true, keeps}))).toEqual([
        [1, [9, 8, 2]],
    ]);
    // one of them was taken off meanwhile
    fresh[0].count = 2;
    expect(shape(refreshPage(shown, fresh, {isLast: true, keeps}))).toEqual([
        [1, [9, 8]],
    ]);
});

test("new is what came after all that is shown", () => {
    const shown = [conversation(1, [9, 5]), conversation(2, [8])];
    const ids = (page) => newEmails(shown, page).map(({id}) => id);
    expect(ids([conversation(3, [11]), conversation(1, [10, 9])])).toEqual([11, 10]);
    expect(ids([conversation(1, [9]), conversation(4, [7])])).toEqual([]);
    expect(newEmails([], [conversation(1, [9])]).length).toBe(1);
});

test("a mail that is taken off takes its conversation along only when it was the last", () => {
    const shown = [conversation(1, [9, 8]), conversation(2, [7])];
    const without = withoutEmail(shown, 9);
    expect(shape(without)).toEqual([
        [1, [8]],
        [2, [7]],
    ]);
    expect(without[0].count).toBe(1);
    expect(shape(withoutEmail(shown, 7))).toEqual([[1, [9, 8]]]);
});

test("put back, it stands where it stood", () => {
    const shown = [conversation(1, [9, 8]), conversation(2, [7]), conversation(3, [5])];
    for (const id of [9, 7]) {
        const taken = shown
            .flatMap(({emails}) => emails)
            .find((mail) => mail.id === id);
        const back = withEmail(withoutEmail(shown, id), taken);
        expect(shape(back)).toEqual(shape(shown));
        expect(back.map(({count}) => count)).toEqual([2, 1, 1]);
    }
});

test("periods follow the reader's week", async () => {
    await makeMockEnv();
    expect(localization.weekStart).toBe(1);
    const now = DateTime.fromISO("2026-11-25T10:00"); // a Wednesday
    const periods = [
        "11-25T00:00",
        "11-24T23:59",
        "11-23T12:00",
        "11-22T12:00",
        "11-16T00:00",
    ];
    expect(
        periods.map((day) => periodOf(DateTime.fromISO(`2026-${day}`), now))
    ).toEqual(["today", "yesterday", "week", "last_week", "last_week"]);
    expect(periodOf(DateTime.fromISO("2026-11-15T23:59"), now)).toBe("month");
    expect(periodOf(DateTime.fromISO("2026-11-26T08:00"), now)).toBe("today");
});

test("conversations stand under the period of their newest mail", async () => {
    await makeMockEnv();
    const now = DateTime.fromISO("2026-11-25T10:00");
    const at = (threadId, date) => conversation(threadId, [threadId], {date});
    const groups = groupByPeriod(
        [
            at(1, "2026-11-25 08:00:00"),
            at(2, "2026-10-30 08:00:00"),
            at(3, "2026-10-02 08:00:00"),
            at(4, "2025-10-02 08:00:00"),
        ],
        now
    );
    expect(groups.map(({key, conversations}) => [key, conversations.length])).toEqual([
        ["today", 1],
        ["2026-10", 2],
        ["2025-10", 1],
    ]);
    expect(shortTime("2025-10-02 08:00:00", now)).toInclude("2025");
});

test("an open conversation shows its ends and folds what is between", () => {
    const emails = [5, 4, 3, 2, 1].map((id) => email(id));
    expect(itemShape(emails)).toEqual(["line 1", 2, "line 4", "full 5"]);
    expect(itemShape(emails, {narrow: true})).toEqual([3, "line 4", "full 5"]);
    expect(itemShape(emails, {unfolded: true})).toEqual([
        "line 1",
        "line 2",
        "line 3",
        "line 4",
        "full 5",
    ]);
});

test("a single mail between is shown rather than folded", () => {
    const emails = [4, 3, 2, 1].map((id) => email(id));
    expect(itemShape(emails)).toEqual(["line 1", "line 2", "line 3", "full 4"]);
    expect(itemShape([email(1)])).toEqual(["full 1"]);
});

test("a mail opened among the folded ones stays in its order", () => {
    const emails = [7, 6, 5, 4, 3, 2, 1].map((id) => email(id));
    expect(itemShape(emails, {expanded: new Set([7, 4])})).toEqual([
        "line 1",
        2,
        "full 4",
        "line 5",
        "line 6",
        "full 7",
    ]);
});

test("everybody of a conversation is named once, writers first", () => {
    const talk = {
        thread_id: 1,
        count: 2,
        emails: [
            email(2, {from: ANNA, to: [ME], cc: [HENRIK]}),
            email(1, {from: ME, to: [ANNA]}),
        ],
    };
    expect(peopleOf(talk)).toEqual([ANNA, ME, HENRIK]);
});

test("who → whom, the reader is You and comes first", async () => {
    await makeMockEnv();
    const words = (values) => {
        const {first, other = "", more = ""} = recipientWords(email(1, values));
        return [`${first}${other}`, more].filter(Boolean).join(" ");
    };
    expect(words({to: [ANNA]})).toBe("Anna Berg");
    expect(words({to: [ANNA, ME]})).toBe("You, Anna Berg");
    expect(words({cc: [HENRIK]})).toBe("You, cc henrik@nordlicht.example");
    expect(words({bcc: [ANNA]})).toBe("You, bcc Anna Berg");
    expect(words({to: [ANNA, ME], cc: [HENRIK]})).toBe("You + 2");
    expect(words({to: [], cc: [ANNA]})).toBe("Anna Berg");
    expect(words({to: []})).toBe("hidden recipients");
    expect(words({to: [ANNA, ME], more_people: 19000})).toBe("You + 19001");
    expect(String(peopleWords([ANNA, ME, HENRIK, ANNA], 19000))).toBe(
        "Anna Berg, You, henrik@nordlicht.example, Anna Berg and 19000 more"
    );
    expect(String(peopleWords([ANNA, ME, HENRIK, ANNA, ANNA, ANNA]))).toBe(
        "Anna Berg, You, henrik@nordlicht.example, Anna Berg and 2 more"
    );
});

test("what a share level hides is said in words", async () => {
    await makeMockEnv();
    const words = (level, sharers) => String(levelWords(email(1, {level, sharers})));
    expect(words("metadata", ["Jonas Keller"])).toBe(
        "Jonas Keller shares only who wrote and when."
    );
    expect(words("subject", ["Jonas Keller", "Mira Okafor"])).toBe(
        "Jonas Keller and Mira Okafor share only who wrote, when and the subject."
    );
    expect(levelWords(email(1))).toBe("");
    expect(words("subject", [])).toBe(
        "Your administrator lets colleagues see only who wrote, when and the subject."
    );
    expect(words("metadata", [])).toBe(
        "Your administrator lets colleagues see only who wrote and when."
    );
});

test("what follows a sentence stays with its last words", () => {
    expect(lastWords("from: a@x = contact Anna · found automatically")).toEqual({
        start: "from: a@x = contact Anna · ",
        end: "found automatically",
    });
    expect(lastWords("You took it off")).toEqual({start: "You took it ", end: "off"});
    expect(lastWords("Word")).toEqual({start: "", end: "Word"});
});

test("what is counted is told, with its conversations where all of it is counted", async () => {
    await makeMockEnv();
    const words = (...args) => String(countWords(...args));
    expect(words({count: 47, conversations: 12})).toBe("47 emails in 12 conversations");
    expect(words({count: 0, conversations: 0})).toBe("No emails");
    expect(words({count: 1, conversations: 1})).toBe("1 email");
    expect(words({count: 3, conversations: 1})).toBe("3 emails in 1 conversation");
    expect(words({count: 1000, capped: true, conversations: 9})).toBe("1,000+ emails");
    expect([1, 12].map((count) => String(newsWords(count)))).toEqual([
        "1 new email",
        "12 new emails",
    ]);
});

test("sizes are read, not calculated", async () => {
    await makeMockEnv();
    expect(
        [812, 46_000, 999_900, 1_800_000, 25_000_000].map((size) =>
            String(fileSize(size))
        )
    ).toEqual(["812 bytes", "46 kB", "1.0 MB", "1.8 MB", "25 MB"]);
});

test("a conversation is named by what it is about", async () => {
    await makeMockEnv();
    const words = (subject) => String(subjectWords(email(1, {subject})));
    expect(words("Re: AW: Fwd: Offer")).toBe("Offer");
    expect(words("Re[2]: Offer")).toBe("Offer");
    expect(words("回复：报价")).toBe("报价");
    expect(words("Return of 2 chairs: when?")).toBe("Return of 2 chairs: when?");
    expect(words("Re:")).toBe("Re:");
    expect(words(false)).toBe("(no subject)");
});
