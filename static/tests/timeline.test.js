import {waitForChannels} from "@bus/../tests/bus_test_helpers";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, getFixture, test} from "@odoo/hoot";
import {click, edit, press, queryAllTexts, queryFirst, scroll} from "@odoo/hoot-dom";
import {Deferred, advanceTime, animationFrame} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {
    MockServer,
    getService,
    makeMockEnv,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import {Timeline} from "@easycrm_mail/timeline/timeline";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";
import {conversation, page} from "./timeline_helpers";

describe.current.tags("desktop");
defineMailModels();

const CHANNEL = "easycrm_mail.timeline/res.partner/7";

/** What the server has. */
let mails = [];
/** What it waits for before it answers. */
let hold = null;

beforeEach(() => {
    mails = [3, 2, 1].map((id) => conversation(id, [id]));
    hold = null;
    onRpc("res.partner", "easycrm_timeline", async ({kwargs}) => {
        expect.step(JSON.stringify(kwargs.filters || {}));
        await hold;
        const {search, direction} = kwargs.filters || {};
        const found = mails.filter(
            ({emails: [mail]}) =>
                (!search || mail.subject.includes(search)) &&
                (!direction || mail.direction === direction)
        );
        return page(found, {
            looked_at: mails.length,
            empty: found.length ? false : "filtered",
        });
    });
    onRpc("res.partner", "easycrm_people", () => [
        {name: "Anna Berg", address: "anna@nordlicht.example", count: 3},
    ]);
    onRpc("easycrm.email", "easycrm_body", () => ({
        document: "<html><body>Text</body></html>",
        has_quote: false,
        remote_count: 0,
        remote_hosts: [],
    }));
});

/** The timeline of a record, in a window that may be lower than it. */
async function mountTimeline({height = 600} = {}) {
    await makeMockEnv();
    const record = {
        resModel: "res.partner",
        resId: 7,
        data: {name: "Anna Berg"},
        isDirty: async () => false,
        load: () => expect.step("form reloaded"),
    };
    record.model = {root: record};
    const store = reactive(new TimelineStore(getService("orm"), "res.partner", 7));
    await store.load();
    const target = document.createElement("div");
    target.className = "o_form_view";
    target.style.cssText = `height: ${height}px; overflow-y: auto`;
    getFixture().append(target);
    await mountWithCleanup(Timeline, {target, props: {store, record}});
    await waitForChannels([CHANNEL]);
    await animationFrame();
    expect.verifySteps(["{}"]);
    return {store, target};
}

/** What the server tells those who listen to the record's channel. */
function sendPing(values = {}) {
    MockServer.env["bus.bus"]._sendone(CHANNEL, "easycrm_mail.timeline", {
        model: "res.partner",
        id: 7,
        ...values,
    });
}

async function ping(values) {
    sendPing(values);
    await advanceTime(3000);
    await animationFrame();
}

const focused = () =>
    document.activeElement.closest(".o_easycrm_conversation")?.dataset.threadId;
const subjects = () => queryAllTexts(".o_easycrm_subject");

test("j and k go through the rows, Enter opens, Esc folds, s searches", async () => {
    await mountTimeline();
    await press("j");
    expect(focused()).toBe("3");
    await press("j");
    await press("j");
    await press("j");
    expect(focused()).toBe("1");
    await press("k");
    expect(focused()).toBe("2");
    await press("Enter");
    await animationFrame();
    expect(".o_easycrm_opened").toHaveAttribute("data-thread-id", "2");
    expect(focused()).toBe("2");
    await press("Escape");
    await animationFrame();
    expect(".o_easycrm_opened").toHaveCount(0);
    expect(focused()).toBe("2");
    await press("s");
    expect(".o_easycrm_search_input").toBeFocused();
});

test("while typing, keys are letters", async () => {
    await mountTimeline();
    await press("s");
    await edit("Mail jks");
    expect(".o_easycrm_search_input").toHaveValue("Mail jks");
    expect(".o_easycrm_search_input").toBeFocused();
    await advanceTime(400);
    await animationFrame();
    expect.verifySteps(['{"search":"Mail jks"}']);
    expect(".o_easycrm_empty_filtered").toHaveCount(1);
});

test("the search waits for a pause, and Escape clears it", async () => {
    await mountTimeline();
    await click(".o_easycrm_search_input");
    await edit("Mail 2");
    await advanceTime(100);
    expect.verifySteps([]);
    await advanceTime(400);
    await animationFrame();
    expect.verifySteps(['{"search":"Mail 2"}']);
    expect(subjects()).toEqual(["Mail 2"]);
    expect(".o_easycrm_count").toHaveText("1 email");
    await press("Escape");
    await animationFrame();
    await animationFrame();
    expect.verifySteps(["{}"]);
    expect(".o_easycrm_search_input").toHaveValue("");
    expect(subjects()).toEqual(["Mail 3", "Mail 2", "Mail 1"]);
    await press("Escape");
    expect(focused()).toBe("3");
});

test("chips narrow together, and tell that they are chosen", async () => {
    mails[0].emails[0].direction = "outbound";
    await mountTimeline();
    expect(".o_easycrm_filter_all").toHaveAttribute("aria-pressed", "true");
    await click(".o_easycrm_filter_outbound");
    await animationFrame();
    await animationFrame();
    expect(".o_easycrm_filter_outbound").toHaveAttribute("aria-pressed", "true");
    expect(".o_easycrm_filter_all").toHaveAttribute("aria-pressed", "false");
    expect(subjects()).toEqual(["Mail 3"]);
    await click(".o_easycrm_filter_attachments");
    await animationFrame();
    await animationFrame();
    await click(".o_easycrm_filter_all");
    await animationFrame();
    await animationFrame();
    expect(subjects().length).toBe(3);
    expect.verifySteps([
        '{"direction":"outbound"}',
        '{"direction":"outbound","attachments":true}',
        "{}",
    ]);
});

test("a person is chosen from those who wrote here", async () => {
    await mountTimeline();
    await click(".o_easycrm_filter_person");
    await animationFrame();
    await animationFrame();
    await click(".o_easycrm_person");
    await animationFrame();
    await animationFrame();
    expect(".o_easycrm_filter_person").toHaveText("Anna Berg");
    expect(".o_easycrm_filter_person").toHaveAttribute("aria-pressed", "true");
    expect.verifySteps(['{"person":"anna@nordlicht.example"}']);
});

test("nothing fits: it says so, and the filters can be cleared", async () => {
    await mountTimeline();
    await click(".o_easycrm_search_input");
    await edit("Brandschutz");
    await press("Enter");
    await animationFrame();
    await animationFrame();
    expect(".o_easycrm_empty_filtered p:first").toHaveText(
        "No email fits “Brandschutz”"
    );
    expect(".o_easycrm_empty_filtered p:eq(1)").toHaveText("Searched 3 emails.");
    await click(".o_easycrm_clear_filters");
    await animationFrame();
    await animationFrame();
    expect(subjects().length).toBe(3);
    expect(".o_easycrm_search_input").toHaveValue("");
    expect.verifySteps(['{"search":"Brandschutz"}', "{}"]);
});

/** Nothing was found, and the answer to what is asked next is on its way. */
async function findNothing() {
    await mountTimeline();
    await click(".o_easycrm_search_input");
    await edit("zzzz");
    await press("Enter");
    await animationFrame();
    await animationFrame();
    expect(".o_easycrm_empty_filtered").toHaveCount(1);
    expect.verifySteps(['{"search":"zzzz"}']);
    hold = new Deferred();
    return queryFirst(".o_easycrm_search_input");
}

test("who leaves a search that found nothing goes on typing", async () => {
    const input = await findNothing();
    await press("Escape");
    await animationFrame();
    expect.verifySteps(["{}"]);
    expect(".o_easycrm_empty").toHaveCount(0);
    expect(document.activeElement).toBe(input);
    await press("j");
    expect(input).toHaveValue("j");
    hold.resolve();
    await animationFrame();
    await animationFrame();
    expect(subjects().length).toBe(3);
    expect(document.activeElement).toBe(input);
    expect(input).toHaveValue("j");
    await advanceTime(400);
    expect.verifySteps(['{"search":"j"}']);
});

test("a search that folds what was open leaves the focus where one types", async () => {
    await mountTimeline();
    await press("j");
    await press("Enter");
    await animationFrame();
    expect(".o_easycrm_opened").toHaveCount(1);
    await click(".o_easycrm_search_input");
    await edit("Mail 1");
    await advanceTime(400);
    await animationFrame();
    await animationFrame();
    expect(subjects()).toEqual(["Mail 1"]);
    expect(".o_easycrm_search_input").toBeFocused();
    expect.verifySteps(['{"search":"Mail 1"}']);
});

test("“Clear filters” leads back to the search", async () => {
    const input = await findNothing();
    await click(".o_easycrm_clear_filters");
    await animationFrame();
    await animationFrame();
    expect(".o_easycrm_empty").toHaveCount(0);
    expect(document.activeElement).toBe(input);
    expect(input).toHaveValue("");
    hold.resolve();
    await animationFrame();
    await animationFrame();
    expect(subjects().length).toBe(3);
    expect(document.activeElement).toBe(input);
    expect.verifySteps(["{}"]);
});

async function pressAt(selector) {
    queryFirst(selector).focus();
    await press("Enter");
    await animationFrame();
    await animationFrame();
}

test("the keyboard goes on from what comes in the place of a pressed button", async () => {
    mails = [conversation(1, [5, 4, 3, 2, 1])];
    await mountTimeline();
    await pressAt(".o_easycrm_toggle");
    await pressAt(".o_easycrm_unfold");
    expect(".o_easycrm_line[data-email-id='2']").toBeFocused();
    await press("Enter");
    await animationFrame();
    expect("[data-email-id='2'] .o_easycrm_fold_email").toBeFocused();
    await press("Enter");
    await animationFrame();
    expect(".o_easycrm_line[data-email-id='2']").toBeFocused();
});

test("closing the reasons or taking one off keeps the place of the keyboard", async () => {
    const reason = (id, name) => ({
        link_id: id,
        record: {model: "res.partner", id, name, label: "contact"},
        sentence: "It is from this address.",
        when: false,
        can_take_off: true,
        can_put_back: false,
        removed: false,
    });
    onRpc("easycrm.email", "easycrm_why", () => [
        reason(7, "Anna Berg"),
        reason(8, "Nordlicht"),
    ]);
    onRpc("easycrm.email", "easycrm_sharing", () => ({
        privacy: false,
        sentence: false,
    }));
    onRpc("easycrm.email", "easycrm_history", () => []);
    onRpc("easycrm.email.link", "action_take_off", () => [4]);
    await mountTimeline();
    await pressAt("[data-thread-id='2'] .o_easycrm_toggle");
    await pressAt(".o_easycrm_why_toggle");
    await pressAt(".o_easycrm_why_close");
    expect(".o_easycrm_why_toggle").toBeFocused();
    await pressAt(".o_easycrm_why_toggle");
    await pressAt(".o_easycrm_take_off:last");
    expect(".o_easycrm_take_off").toHaveCount(1);
    expect(".o_easycrm_why_close").toBeFocused();
    await pressAt(".o_easycrm_take_off");
    expect(subjects()).toEqual(["Mail 3", "Mail 1"]);
    expect(focused()).toBe("1");
    expect.verifySteps(["form reloaded", "form reloaded"]);
});

test("at the top new mail slides in, and the form's count follows", async () => {
    await mountTimeline();
    mails.unshift(conversation(4, [4]));
    await ping();
    expect(subjects()).toEqual(["Mail 4", "Mail 3", "Mail 2", "Mail 1"]);
    expect(".o_easycrm_news").toHaveCount(0);
    expect(".o_easycrm_announcement").toHaveText("1 new email");
    expect(".o_easycrm_count").toHaveText("4 emails in 4 conversations");
    expect.verifySteps(["{}", "form reloaded"]);
    await advanceTime(6000);
    await animationFrame();
    expect(".o_easycrm_announcement").toHaveText("");
});

test("further down new mail waits behind a chip, and nothing moves", async () => {
    mails = Array.from({length: 20}, (_, i) => conversation(40 - i, [40 - i]));
    const {target} = await mountTimeline({height: 300});
    await scroll(target, {y: 400});
    const before = queryFirst("[data-thread-id='30']").getBoundingClientRect().top;
    mails.unshift(conversation(50, [50]), conversation(51, [51]));
    await ping();
    expect(".o_easycrm_news").toHaveText("2 new emails");
    expect(".o_easycrm_announcement").toHaveText("2 new emails");
    expect(".o_easycrm_count").toHaveText("22 emails in 22 conversations");
    expect(queryFirst("[data-thread-id='30']").getBoundingClientRect().top).toBe(
        before
    );
    expect("[data-thread-id='50']").toHaveCount(0);
    await click(".o_easycrm_news .btn");
    await animationFrame();
    expect("[data-thread-id='50']").toHaveCount(1);
    expect(".o_easycrm_news").toHaveCount(0);
    expect(target.scrollTop).toBeLessThan(100);
    expect(focused()).toBe("51");
    expect.verifySteps(["{}", "form reloaded"]);
});

test("who reads an open mail is not disturbed", async () => {
    await mountTimeline();
    await press("j");
    await press("Enter");
    await animationFrame();
    mails.unshift(conversation(4, [4]));
    await ping();
    expect(".o_easycrm_news").toHaveText("1 new email");
    expect(".o_easycrm_opened").toHaveCount(1);
    expect.verifySteps(["{}", "form reloaded"]);
});

test("pings of other records are not this one's, and many are one look", async () => {
    await mountTimeline();
    await ping({id: 8});
    await ping({model: "crm.lead"});
    expect.verifySteps([]);
    for (let i = 0; i < 5; i++) {
        sendPing();
    }
    await advanceTime(1000);
    expect.verifySteps(["{}", "form reloaded"]);
    await advanceTime(3000);
    await animationFrame();
    expect.verifySteps(["{}", "form reloaded"]);
    await advanceTime(9000);
    expect.verifySteps([]);
});
