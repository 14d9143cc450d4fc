import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {describe, expect, getFixture, test} from "@odoo/hoot";
import {click, press, queryAllTexts, queryText} from "@odoo/hoot-dom";
import {animationFrame, mockDate} from "@odoo/hoot-mock";
import {reactive} from "@odoo/owl";

import {
    getService,
    makeMockEnv,
    mockService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";

import {
    campaignCountWords,
    campaignDetail,
} from "@easycrm_mail/timeline/campaign_words";
import {Timeline} from "@easycrm_mail/timeline/timeline";
import {compareEmails} from "@easycrm_mail/timeline/timeline_model";
import {TimelineStore} from "@easycrm_mail/timeline/timeline_store";
import {campaign, conversation, email, page} from "./timeline_helpers";

describe.current.tags("desktop");
defineMailModels();

/** The timeline of a contact who got these. */
async function mountTimeline(conversations, values = {}) {
    onRpc("res.partner", "easycrm_timeline", ({kwargs}) => {
        const {direction} = kwargs.filters || {};
        const found = conversations.filter(
            ({emails: [mail]}) => !direction || mail.direction === direction
        );
        return page(found, {campaign_count: 1, ...values});
    });
    await makeMockEnv();
    const record = {resModel: "res.partner", resId: 7, data: {}};
    record.model = {root: record};
    const store = reactive(new TimelineStore(getService("orm"), "res.partner", 7));
    await store.load();
    const target = document.createElement("div");
    target.className = "o_form_view";
    getFixture().append(target);
    await mountWithCleanup(Timeline, {target, props: {store, record}});
    await animationFrame();
    return store;
}

const marks = () => queryAllTexts(".o_easycrm_mark");

test("a campaign says who, to whom, and what became of it", async () => {
    mockDate("2026-12-24 12:00:00", 0);
    await mountTimeline([
        campaign(3, {
            opens: 2,
            opened_at: "2026-11-24 10:14:00",
            last_opened_at: "2026-11-24 18:44:00",
            links: ["Pricing"],
            more_links: 2,
            replied: true,
        }),
    ]);
    expect(".o_easycrm_campaign").toHaveCount(1);
    expect(queryText(".o_easycrm_campaign .o_easycrm_direction")).toBe("Campaign");
    expect(".o_easycrm_campaign .o_easycrm_dot .fa-bullhorn").toHaveCount(1);
    expect(queryText(".o_easycrm_from")).toBe("Tallwood Furniture");
    expect(queryText(".o_easycrm_to")).toBe("Anna Berg");
    expect(queryText(".o_easycrm_subject")).toBe("Campaign: Mailing 3");
    expect(marks()).toEqual([
        "answered",
        "opened twice",
        "clicked Pricing",
        "and 2 more links",
    ]);
    expect(queryText(".o_easycrm_detail")).toMatch(
        /^First: Nov 24.*10:14.*Last: Nov 24.*6:44/
    );
});

test("a campaign of which nothing is known has no marks", async () => {
    await mountTimeline([campaign(3)]);
    expect(".o_easycrm_marks").toHaveCount(0);
});

test("what went wrong is told, with its reason", async () => {
    await mountTimeline([
        campaign(3, {
            bounced: true,
            reason: "mailbox is full",
            complained: true,
            unsubscribed: true,
            unsubscribed_from: "News",
        }),
    ]);
    expect(marks()).toEqual([
        "Not delivered",
        "unsubscribed from News",
        "reported as spam",
    ]);
    expect(queryText(".o_easycrm_detail")).toBe("mailbox is full");
});

test("who may open the campaign is led to it, others are not", async () => {
    mockService("action", {
        doAction: ({res_model, res_id}) => expect.step(`${res_model} ${res_id}`),
    });
    await mountTimeline([campaign(3, {mailing_id: 12}), campaign(2)]);
    expect(".o_easycrm_campaign button").toHaveCount(1);
    await click(".o_easycrm_campaign button");
    expect.verifySteps(["mailing.mailing 12"]);
    await press("j");
    await press("j");
    expect(document.activeElement.closest("article").dataset.threadId).toBe("-2");
});

test("campaigns are a chip where there are some", async () => {
    const store = await mountTimeline([conversation(5, [5]), campaign(3)]);
    expect(queryAllTexts(".o_easycrm_filter")).toEqual([
        "All",
        "Received",
        "Sent",
        "Campaigns",
        "With attachments",
        "Person",
    ]);
    await click(".o_easycrm_filter_campaign");
    await animationFrame();
    expect(".o_easycrm_conversation").toHaveCount(1);
    expect(queryText(".o_easycrm_count")).toBe("1 campaign");
    expect(store.filters.direction).toBe("campaign");
});

test("where there is none there is no chip", async () => {
    await mountTimeline([conversation(5, [5])], {campaign_count: 0});
    expect(".o_easycrm_filter_campaign").toHaveCount(0);
});

test("where there are only campaigns they are counted", async () => {
    await mountTimeline([campaign(3)], {count: 0, conversation_count: 0});
    expect(queryText(".o_easycrm_count")).toBe("1 campaign");
});

test("mails come before campaigns of the same second, as the server sorts", () => {
    const date = "2026-11-24 08:00:00";
    const [mail] = [email(1, {date})];
    const sorted = [-2, 1, -1].map((id) => email(id, {date})).sort(compareEmails);
    expect(sorted.map(({id}) => id)).toEqual([1, -1, -2]);
    expect(compareEmails(mail, email(-1, {date}))).toBeLessThan(0);
});

test("in words", async () => {
    await makeMockEnv();
    expect(String(campaignCountWords(1000, true))).toBe("1,000+ campaigns");
    expect(String(campaignCountWords(2))).toBe("2 campaigns");
    const now = luxon.DateTime.local();
    expect(campaignDetail({opens: 0, opened_at: false}, now)).toBe("");
});
