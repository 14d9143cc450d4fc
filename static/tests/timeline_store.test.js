import {describe, expect, test} from "@odoo/hoot";
import {Deferred, tick} from "@odoo/hoot-mock";

import {allowTranslations} from "@web/../tests/web_test_helpers";

import {NO_FILTERS} from "@easycrm_mail/timeline/timeline_filters";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";
import {conversation, email, page, shape} from "./timeline_helpers";

describe.current.tags("headless");

/** A store whose answers are handed out by the test, in the order of the questions. */
function makeStore({isAtTop = true} = {}) {
    allowTranslations();
    const asked = [];
    const call = (model, method, [[id]], params) => {
        const answer = new Deferred();
        asked.push({params, answer});
        expect.step(`${method} ${id} ${JSON.stringify(params)}`);
        return answer;
    };
    const store = new TimelineStore({call, silent: {call}}, "res.partner", 7);
    store.reader = {isAtTop: () => isAtTop};
    /** Runs something of the store that asks once, and answers. */
    const answered = async (action, answer) => {
        const {length} = asked;
        const done = action();
        asked[length].answer.resolve(answer);
        await done;
    };
    return {store, asked, answered};
}

async function loaded(conversations, options = {}) {
    const made = makeStore(options);
    await made.answered(() => made.store.load(), page(conversations, options.values));
    expect.verifySteps(["easycrm_timeline 7 {}"]);
    return made;
}

test("filters go to the server, and what was shown stays until the answer is here", async () => {
    const {store, asked} = await loaded([conversation(1, [9]), conversation(2, [8])]);
    const done = store.setFilters({...NO_FILTERS, search: "offer", attachments: true});
    expect(store.searching).toBe(true);
    expect(shape(store.conversations)).toEqual([
        [1, [9]],
        [2, [8]],
    ]);
    asked[1].answer.resolve(page([conversation(2, [8])]));
    await done;
    expect(store.searching).toBe(false);
    expect(shape(store.conversations)).toEqual([[2, [8]]]);
    expect(store.count).toBe(1);
    expect.verifySteps([
        'easycrm_timeline 7 {"filters":{"attachments":true,"search":"offer"}}',
    ]);
});

test("an answer to filters of before is not shown", async () => {
    const {store, asked} = await loaded([conversation(1, [9])]);
    const first = store.setFilters({...NO_FILTERS, search: "o"});
    const second = store.setFilters({...NO_FILTERS, search: "of"});
    asked[2].answer.resolve(page([conversation(2, [8])]));
    await second;
    asked[1].answer.resolve(page([conversation(3, [7])]));
    await first;
    expect(shape(store.conversations)).toEqual([[2, [8]]]);
    expect(store.searching).toBe(false);
    expect.verifySteps([
        'easycrm_timeline 7 {"filters":{"search":"o"}}',
        'easycrm_timeline 7 {"filters":{"search":"of"}}',
    ]);
});

test("an older page that comes after the filters were changed is dropped", async () => {
    const {store, asked, answered} = await loaded([conversation(1, [9])], {
        values: {next: "x"},
    });
    const more = store.loadMore();
    await answered(
        () => store.setFilters({...NO_FILTERS, direction: "inbound"}),
        page([conversation(2, [8])], {next: "y"})
    );
    asked[1].answer.resolve(page([conversation(3, [1])], {next: false}));
    await more;
    expect(shape(store.conversations)).toEqual([[2, [8]]]);
    expect(store.next).toBe("y");
    expect(store.more).toBe("idle");
    expect.verifySteps([
        'easycrm_timeline 7 {"before":"x"}',
        'easycrm_timeline 7 {"filters":{"direction":"inbound"}}',
    ]);
});

test("what is found further back is counted when all is looked through", async () => {
    const {store, answered} = await loaded([conversation(1, [9])]);
    await answered(
        () => store.setFilters({...NO_FILTERS, search: "rare"}),
        page([], {next: "x", count_capped: true, empty: false})
    );
    expect(store.conversations).toEqual([]);
    expect(store.next).toBe("x");
    await answered(() => store.loadMore(), {
        conversations: [conversation(4, [2])],
        next: "y",
    });
    expect(store.countCapped).toBe(true);
    await answered(() => store.loadMore(), {
        conversations: [conversation(5, [1])],
        next: false,
    });
    expect([store.count, store.countCapped, store.conversationCount]).toEqual([
        2,
        false,
        2,
    ]);
    expect(store.empty).toBe(false);
    expect.verifySteps([
        'easycrm_timeline 7 {"filters":{"search":"rare"}}',
        'easycrm_timeline 7 {"before":"x","filters":{"search":"rare"}}',
        'easycrm_timeline 7 {"before":"y","filters":{"search":"rare"}}',
    ]);
});

test("at the top new mail slides in and is told", async () => {
    const {store, answered} = await loaded([conversation(1, [8])]);
    await answered(
        () => store.refresh(),
        page([conversation(2, [9]), conversation(1, [8])])
    );
    expect(shape(store.conversations)).toEqual([
        [2, [9]],
        [1, [8]],
    ]);
    expect([store.arrived, store.newCount]).toEqual([1, 0]);
    expect([...store.fresh]).toEqual([2]);
    expect.verifySteps(["easycrm_timeline 7 {}"]);
});

test("further down nothing moves: new mail waits and is counted", async () => {
    const {store, answered} = await loaded(
        [conversation(1, [7]), conversation(3, [6])],
        {
            isAtTop: false,
        }
    );
    await answered(
        () => store.refresh(),
        page([conversation(2, [9]), conversation(1, [8, 7]), conversation(3, [6])])
    );
    expect(shape(store.conversations)).toEqual([
        [1, [7]],
        [3, [6]],
    ]);
    expect([store.newCount, store.arrived, store.count]).toEqual([2, 0, 4]);
    store.showHeld();
    expect(shape(store.conversations)).toEqual([
        [2, [9]],
        [1, [8, 7]],
        [3, [6]],
    ]);
    expect(store.newCount).toBe(0);
    expect.verifySteps(["easycrm_timeline 7 {}"]);
});

test("what changes without new mail is shown at once, wherever one reads", async () => {
    const {store, answered} = await loaded(
        [conversation(1, [9]), conversation(2, [7])],
        {
            isAtTop: false,
        }
    );
    await answered(() => store.refresh(), page([conversation(1, [9])]));
    expect(shape(store.conversations)).toEqual([[1, [9]]]);
    await answered(
        () => store.refresh(),
        page([conversation(1, [9]), conversation(3, [5])])
    );
    expect(shape(store.conversations)).toEqual([
        [1, [9]],
        [3, [5]],
    ]);
    expect(store.newCount).toBe(0);
    expect.verifySteps(["easycrm_timeline 7 {}", "easycrm_timeline 7 {}"]);
});

test("older pages stay in their place when something on the newest is gone", async () => {
    const {store, answered} = await loaded(
        [conversation(1, [9]), conversation(2, [8])],
        {
            values: {next: "x"},
        }
    );
    await answered(() => store.loadMore(), {
        conversations: [conversation(3, [3])],
        next: "y",
    });
    await answered(() => store.refresh(), page([conversation(2, [8])], {next: "x"}));
    expect(shape(store.conversations)).toEqual([
        [2, [8]],
        [3, [3]],
    ]);
    expect(store.next).toBe("y");
    expect.verifySteps(['easycrm_timeline 7 {"before":"x"}', "easycrm_timeline 7 {}"]);
});

test("a piece of news that cannot be looked at disturbs nobody", async () => {
    const {store, asked} = await loaded([conversation(1, [9])]);
    const done = store.refresh();
    asked[1].answer.reject(new Error("offline"));
    await done;
    expect(store.status).toBe("ready");
    expect(shape(store.conversations)).toEqual([[1, [9]]]);
    expect.verifySteps(["easycrm_timeline 7 {}"]);
});

test("a search that fails is told, and can be tried again", async () => {
    const {store, asked, answered} = await loaded([conversation(1, [9])]);
    const done = store.setFilters({...NO_FILTERS, search: "x"});
    asked[1].answer.reject(new Error("offline"));
    await done;
    expect([store.status, store.searching]).toEqual(["failed", false]);
    await answered(() => store.load(), page([conversation(2, [8])]));
    expect(store.status).toBe("ready");
    expect.verifySteps([
        'easycrm_timeline 7 {"filters":{"search":"x"}}',
        'easycrm_timeline 7 {"filters":{"search":"x"}}',
    ]);
});

test("another version of a mail is read in its place", async () => {
    const mail = email(9, {versions: [9, 12]});
    const {store, answered} = await loaded([{thread_id: 1, count: 1, emails: [mail]}]);
    await answered(() => store.showVersion(mail, 12), email(12, {snippet: "Footer"}));
    expect(store.versionOf(mail).snippet).toBe("Footer");
    expect(store.versionOf(mail).versions).toEqual([9, 12]);
    await store.showVersion(mail, 9);
    expect(store.versionOf(mail)).toBe(mail);
    await tick();
    expect.verifySteps(["easycrm_values 12 undefined"]);
});
