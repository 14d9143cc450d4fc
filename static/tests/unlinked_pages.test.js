/** How the list of Unlinked Emails is asked for, page after page, while it changes. */

import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, test} from "@odoo/hoot";
import {queryFirst} from "@odoo/hoot-dom";
import {Deferred} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {defineModels} from "@web/../tests/web_test_helpers";

import {MailList} from "@easycrm_mail/unlinked/mail_list";
import {
    EasycrmEmailCopy,
    mail,
    mockUnlinked,
    mountUnlinked,
    news,
    senders,
    settle,
} from "./unlinked_helpers";

describe.current.tags("desktop");
defineMailModels();
defineModels([EasycrmEmailCopy]);

const makeGroups = (count, name = "sender") =>
    Array.from({length: count}, (_, i) => ({
        ...{key: `${name}${i}`, count: 1, latest: "2026-11-24 08:00:00"},
    }));

/** A list whose server holds `groups`; `answer` says when a method is answered, and may let it fail. */
async function makeList(groups, answer = () => true) {
    const server = {groups, rows: [], calls: 0, opened: 0};
    const answers = {
        unlinked_groups: ({offset, limit, keys, first_rows: firstRows}) => {
            server.opened += firstRows ? 1 : 0;
            const found = keys
                ? server.groups.filter(({key}) => keys.includes(key))
                : server.groups.slice(offset, offset + limit);
            const {length} = server.groups;
            return {groups: found, total: length, mails: length, first: null};
        },
        unlinked_page: () => ({rows: server.rows, next: null}),
    };
    const call = async (model, method, args, options) => {
        server.calls++;
        const result = answers[method](options);
        await answer(method, server.calls);
        return result;
    };
    const list = new MailList({
        silent: {call, search: async (model, [[, , ids]]) => ids},
    });
    return {list, server};
}

const keysOf = ({groups}) => groups.map(({key}) => key);

async function goToEnd(list) {
    for (let turn = 0; turn < 30; turn++) {
        await list.loadMore();
    }
}

test("after news, the list goes on to its end", async () => {
    const server = mockUnlinked();
    server.mails = Array.from({length: 800}, (_, i) => mail(800 - i, `sender${i}`));
    await mountUnlinked();
    const goOn = async (turns) => {
        for (let turn = 0; turn < turns; turn++) {
            const scroller = queryFirst(".o_easycrm_list_scroll");
            scroller.scrollTop = scroller.scrollHeight;
            await settle();
        }
    };
    await goOn(2);
    await news();
    await goOn(8);
    expect(senders().at(-1)).toBe("sender799");
});

test("going on costs one question, however far one has come", async () => {
    const {list, server} = await makeList(makeGroups(2000));
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    for (let turn = 0; turn < 6; turn++) {
        await list.loadMore();
    }
    await list.load();
    const {length} = list.groups;
    server.calls = 0;
    await list.loadMore();
    expect(server.calls).toBe(1);
    expect(list.groups.length).toBeGreaterThan(length + 100);
    await goToEnd(list);
    expect(keysOf(list)).toEqual(keysOf(server));
});

test("where many are gone or have come, none is left out", async () => {
    const {list, server} = await makeList(makeGroups(800));
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    await list.loadMore();
    await list.loadMore();
    const shown = list.groups.length;
    server.groups = server.groups.filter((_, i) => i < 60 || i > 300);
    await list.load();
    await list.loadMore();
    expect(list.groups[shown].key).toBe(`sender${shown}`);
    server.groups = [...makeGroups(100, "new"), ...server.groups];
    await list.load();
    await goToEnd(list);
    expect(keysOf(list)).toInclude("new99");
    expect(keysOf(list)).toInclude("sender799");
    expect(new Set(keysOf(list)).size).toBe(list.groups.length);
});

test("mails of a sender that is closed are not asked for again", async () => {
    const {list, server} = await makeList(makeGroups(3));
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    server.rows = [{id: 2, date: "2026-11-24 08:00:00"}];
    await list.toggleGroup("sender0");
    list.unsure.add("m:2");
    await list.toggleGroup("sender0");
    expect([...list.unsure]).toEqual([]);
});

test("an answer that was asked for before the last one is dropped", async () => {
    const late = new Deferred();
    let slow = 0;
    const {list, server} = await makeList(makeGroups(3), (method, number) =>
        number === slow ? late : true
    );
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    slow = server.calls + 1;
    const before = list.load();
    server.groups = server.groups.slice(1);
    await list.load();
    expect(keysOf(list)).toEqual(["sender1", "sender2"]);
    late.resolve();
    await before;
    expect(keysOf(list)).toEqual(["sender1", "sender2"]);
    expect(list.mails).toBe(2);
});

test("mails that were asked for before the last answer are looked at once more", async () => {
    const late = new Deferred();
    let slow = 0;
    const {list, server} = await makeList(makeGroups(3), (method, number) =>
        number === slow ? late : true
    );
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    server.rows = [{id: 2, date: "2026-11-24 08:00:00"}];
    slow = server.calls + 1;
    const opening = list.toggleGroup("sender0");
    await list.load();
    late.resolve();
    await opening;
    expect(list.pages.sender0.rows.map(({id}) => id)).toEqual([2]);
    expect([...list.unsure]).toEqual(["m:2"]);
});

test("other news do not keep the newest mail from being opened", async () => {
    const late = new Deferred();
    const {list, server} = await makeList(makeGroups(3), (method, number) =>
        number === 1 ? late : true
    );
    const opening = list.setQuery({domain: [], ignored: false});
    await list.load();
    late.resolve();
    await opening;
    expect(server.opened).toBe(2);
    expect(list.status).toBe("ready");
});

test("what fails of an earlier search does not stop the new one", async () => {
    const late = new Deferred();
    let slow = 0;
    const {list, server} = await makeList(makeGroups(500), (method, number) =>
        number === slow ? late : true
    );
    await list.setQuery({domain: [], ignored: false}, {opens: false});
    slow = server.calls + 1;
    const before = list.loadMore();
    await list.setQuery({domain: [], ignored: true}, {opens: false});
    late.reject(new Error("No answer"));
    await before;
    expect(list.more).toBe("idle");
    await goToEnd(list);
    expect(list.groups.length).toBe(500);
});

test("to look on draws nothing anew", async () => {
    const {list} = await makeList(makeGroups(3));
    const watched = reactive(list, () => expect.step("drawn anew"));
    watched.lookAt(["g:sender0"]);
    watched.lookAt(["g:sender1"]);
    expect.verifySteps([]);
});
