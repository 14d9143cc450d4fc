/** What waits in Unlinked Emails: how it is shown, gone through and selected. */

import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {click, edit, queryAll, queryAllTexts, queryFirst} from "@odoo/hoot-dom";
import {animationFrame} from "@odoo/hoot-mock";

import {defineModels, getService, mockService} from "@web/../tests/web_test_helpers";

import {
    CHAIRS,
    EasycrmEmailCopy,
    cursor,
    keys,
    mail,
    mockUnlinked,
    mountUnlinked,
    news,
    selected,
    senders,
    settle,
    subjects,
} from "./unlinked_helpers";

describe.current.tags("desktop");
defineMailModels();
defineModels([EasycrmEmailCopy]);

let server = null;

beforeEach(() => {
    server = mockUnlinked();
});

test("mail waits by sender; the newest lies open", async () => {
    await mountUnlinked();
    expect(senders()).toEqual(["anna", "bruno", "clara"]);
    expect(subjects()).toEqual(["Mail 9", "Mail 8", "Mail 7", "Mail 6", "Mail 5"]);
    expect(".o_easycrm_more_rows").toHaveText("2 more from this sender");
    expect(".o_easycrm_waiting").toHaveText("9 waiting");
    expect(cursor()).toBe("m:9");
    expect(".o_easycrm_pane_title").toHaveText("Mail 9");
    expect(".o_easycrm_reader").toHaveCount(1);
    expect(queryAllTexts(".o_easycrm_record_name")).toEqual([
        "Acme – 40 chairs",
        "Lena Hartmann",
    ]);
    await click(".o_easycrm_more_rows");
    await settle();
    expect(subjects().length).toBe(7);
});

test("j and k move, x selects, Shift selects what one goes over, Esc lets go", async () => {
    await mountUnlinked();
    await keys("j", "j", "k");
    expect(cursor()).toBe("m:8");
    expect(queryFirst("[data-key='m:8'] .o_easycrm_item_open")).toBe(
        document.activeElement
    );
    expect(".o_easycrm_pane_title").toHaveText("Mail 8");
    await keys("x");
    expect(selected()).toEqual(["Mail 8"]);
    await keys(["Shift", "J"], ["Shift", "J"]);
    expect(selected()).toEqual(["Mail 8", "Mail 7", "Mail 6"]);
    expect(".o_easycrm_selected").toHaveText("3 selected");
    expect(".o_easycrm_announcement").toHaveText("3 mails selected");
    expect(".o_easycrm_select_all").toHaveProperty("indeterminate", true);
    await keys("Escape");
    expect(selected()).toEqual([]);
    expect(".o_easycrm_announcement").toHaveText("No mail selected");
});

test("a sender's box selects all of his mail, the uppermost all there is", async () => {
    await mountUnlinked();
    await keys("k", "x");
    expect(cursor()).toBe("g:anna@acme.example");
    expect(".o_easycrm_selected").toHaveText("7 selected");
    await click(".o_easycrm_select_all");
    await settle();
    expect(".o_easycrm_selected").toHaveCount(0);
    await click(".o_easycrm_select_all");
    await settle();
    expect(".o_easycrm_selected").toHaveText("9 selected");
    expect(".o_easycrm_select_all").toBeChecked();
});

test("while typing, keys are letters; Esc leads back to the list", async () => {
    await mountUnlinked();
    await keys("l");
    await edit("xjkz");
    await settle();
    expect(".o_easycrm_dock_input").toHaveValue("xjkz");
    expect(selected()).toEqual([]);
    await keys("Escape");
    expect(".o_easycrm_dock_input").toHaveValue("");
    await keys("Escape");
    expect(queryFirst("[data-key='m:9'] .o_easycrm_item_open")).toBe(
        document.activeElement
    );
});

test("nothing waits, nothing fits: both are said", async () => {
    await mountUnlinked();
    await click(".o_searchview_dropdown_toggler");
    await settle();
    await click(".o_filter_menu .o_menu_item:contains(None)");
    await settle();
    expect(".o_easycrm_nothing").toHaveText(/No email fits/);
    await click(".o_easycrm_clear_filters");
    await settle();
    expect(senders().length).toBe(3);
    server.mails = [];
    await news();
    expect(".o_easycrm_nothing").toHaveText(/Every email has found its home/);
});

test("who has no mailbox is shown how to connect one, by the server's word", async () => {
    server.mails = [];
    server.empty = "connect";
    await mountUnlinked();
    expect(".o_easycrm_nothing_connect .o_easycrm_way").toHaveCount(3);
    expect(".o_easycrm_nothing").not.toHaveText(/found its home/);
});

test("“Where is my email?” asks for what was searched", async () => {
    mockService("action", {
        doAction: ({tag, params}) => expect.step(`${tag} ${params.text}`),
    });
    await mountUnlinked();
    await click(".o_searchview_input");
    await edit("none@acme.example");
    await settle();
    await keys("Enter");
    await click(".o_control_panel .o_easycrm_ask_where");
    expect.verifySteps(["easycrm_mail.where none@acme.example"]);
});

test("a machine's address has its mark, a letter of any script is found", async () => {
    server.mails = [
        mail(3, "no-reply"),
        mail(2, "tanaka", {from_name: "“田中 美咲”"}),
        mail(1, "noreen"),
    ];
    await mountUnlinked();
    expect(queryAllTexts(".o_easycrm_automatic")).toEqual(["automatic"]);
    expect(
        ".o_easycrm_item_group:has(.o_easycrm_automatic) .o_easycrm_item_title"
    ).toHaveText("no-reply");
    expect(queryAllTexts(".o_easycrm_item_group .o_easycrm_avatar")).toEqual([
        "N",
        "田",
        "N",
    ]);
});

test("new mail comes in; selection and place stay", async () => {
    await mountUnlinked();
    await keys("j", "x");
    server.mails = [mail(20, "dora"), ...server.mails];
    await news();
    expect(senders()).toEqual(["dora", "anna", "bruno", "clara"]);
    expect(selected()).toEqual(["Mail 8"]);
    expect(cursor()).toBe("m:8");
    expect(".o_easycrm_waiting").toHaveText("10 waiting");
});

test("a sender that is opened while news come in stays open", async () => {
    await mountUnlinked();
    getService("easycrm_mail.unlinked").state.changes++;
    await animationFrame();
    await click("[data-key='g:bruno@acme.example'] .o_easycrm_item_open");
    await settle();
    expect(subjects()).toInclude("Mail 2");
    expect(subjects()).toInclude("Mail 9");
});

test("a sender stays where it stood when its newest mail is linked", async () => {
    server.mails = [
        mail(9, "anna"),
        mail(8, "bruno"),
        mail(7, "clara"),
        mail(6, "anna"),
    ];
    await mountUnlinked();
    await click("[data-drop='crm.lead,7']");
    await settle();
    expect.verifySteps(["link 9 to crm.lead,7"]);
    expect(senders()).toEqual(["anna", "bruno", "clara"]);
});

test("what fails says so, and is tried again", async () => {
    server.fails.add("unlinked_groups");
    await mountUnlinked();
    expect(".o_easycrm_list .alert-danger").toHaveCount(1);
    server.fails.clear();
    await click(".o_easycrm_list .alert-danger button");
    await settle();
    expect(senders().length).toBe(3);
    server.fails.add("link_to");
    await click(".o_easycrm_item_mail .o_easycrm_mail");
    await settle();
    await click(`[data-drop='${CHAIRS.model},${CHAIRS.id}']`);
    await settle();
    expect(".o_notification").toHaveCount(1);
    expect(senders().length).toBe(3);
    expect(".o_easycrm_waiting").toHaveText("9 waiting");
});

async function arrange(words) {
    await click(".o_easycrm_arrange");
    await settle();
    await click(`.dropdown-item:contains(${words})`);
    await settle();
}

test("mail is grouped by domain, and linked by the group", async () => {
    server.mails.push(mail(0, "zoe", {from_address: "zoe@other.example"}));
    await mountUnlinked();
    await arrange("Grouped by domain");
    expect(senders()).toEqual(["acme.example", "other.example"]);
    expect(subjects()).toEqual(["anna", "anna", "anna", "anna", "anna"]);
    expect(".o_easycrm_more_rows").toHaveText("4 more");
    document.activeElement.blur();
    await keys("k");
    expect(cursor()).toBe("g:acme.example");
    await click(".o_easycrm_pane .o_easycrm_ignore");
    await settle();
    expect("[data-scope='address']").toHaveCount(0);
    expect("[data-scope='domain']").toHaveText(/@acme.example/);
    await keys("Escape");
    await click("[data-drop='res.partner,9']");
    await settle();
    expect.verifySteps(["link 9,8,7,6,5,4,3,2,1 to res.partner,9"]);
    expect(senders()).toEqual(["other.example"]);
});

test("the search bar groups, too, and lets go of it; what is selected stays", async () => {
    await mountUnlinked();
    await keys("x");
    await click(".o_searchview_dropdown_toggler");
    await settle();
    expect(".o_add_custom_group_menu").toHaveCount(0);
    await click(".o_group_by_menu .o_menu_item:contains(Domain)");
    await settle();
    expect(senders()).toEqual(["acme.example"]);
    expect(".o_easycrm_selected").toHaveText("1 selected");
    await keys("Escape");
    document.activeElement.blur();
    await keys("Escape");
    expect(".o_easycrm_list_head").toHaveText(/Grouped by domain/);
    await arrange("Newest first");
    expect(".o_searchview_facet").toHaveCount(0);
    expect(".o_easycrm_item_group").toHaveCount(0);
    expect(".o_easycrm_item_mail").toHaveCount(9);
});

test("what is chosen to group by takes the place of what was", async () => {
    await mountUnlinked();
    await click(".o_searchview_dropdown_toggler");
    await settle();
    await click(".o_group_by_menu .o_menu_item:contains(Domain)");
    await settle();
    await click(".o_group_by_menu .o_menu_item:contains(Sender)");
    await settle();
    expect(queryAllTexts(".o_searchview_facet .o_facet_value")).toEqual(["Sender"]);
    expect(senders()).toEqual(["anna", "bruno", "clara"]);
    await click(".o_group_by_menu .o_menu_item:contains(Sender)");
    await settle();
    expect(".o_searchview_facet").toHaveCount(0);
});

test("newest first shows one mail below the other", async () => {
    await mountUnlinked();
    await arrange("Newest first");
    expect(".o_easycrm_item_group").toHaveCount(0);
    expect(".o_easycrm_item_mail").toHaveCount(9);
    expect(cursor()).toBe("m:9");
});

test("of thousands of senders only those in sight are drawn, and the rest comes", async () => {
    server.mails = Array.from({length: 300}, (_, i) => mail(300 - i, `sender${i}`));
    await mountUnlinked();
    expect(".o_easycrm_waiting").toHaveText("300 waiting");
    const drawn = document.querySelectorAll(".o_easycrm_item").length;
    expect(drawn).toBeLessThan(100);
    for (let turn = 0; turn < 6; turn++) {
        const scroller = queryFirst(".o_easycrm_list_scroll");
        scroller.scrollTop = scroller.scrollHeight;
        await settle();
    }
    expect(senders().at(-1)).toBe("sender299");
});

async function scrollTo(key) {
    for (let turn = 0; turn < 20 && !queryFirst(`[data-key='${key}']`); turn++) {
        queryFirst(".o_easycrm_list_scroll").scrollTop += 1500;
        await settle();
    }
}

/** The first item that is in sight as a whole, and where. */
function topItem() {
    const {top} = queryFirst(".o_easycrm_list_scroll").getBoundingClientRect();
    const items = queryAll(".o_easycrm_item").map((item) => ({
        key: item.dataset.key,
        y: item.getBoundingClientRect().top - top,
    }));
    return items.sort((one, other) => one.y - other.y).find(({y}) => y >= 0);
}

test("far down, news move nothing, and what is in sight is as it is now", async () => {
    server.mails = Array.from({length: 400}, (_, i) => mail(400 - i, `sender${i}`));
    await mountUnlinked();
    await scrollTo("g:sender300@acme.example");
    const before = topItem();
    // (mail 100 is that of sender300)
    server.mails = [
        ...[mail(402, "new"), mail(401, "sender299")],
        ...server.mails.filter(({id}) => id !== 100),
    ];
    await news();
    expect(".o_easycrm_waiting").toHaveText("401 waiting");
    expect("[data-key='g:sender300@acme.example']").toHaveCount(0);
    expect("[data-key='g:sender301@acme.example']").toHaveCount(1);
    expect(topItem()).toEqual(before);
});

test("far down among the newest, mail that others have linked goes, the rest stays", async () => {
    server.mails = Array.from({length: 400}, (_, i) => mail(400 - i, "anna"));
    await mountUnlinked();
    await arrange("Newest first");
    await scrollTo("m:95");
    server.mails = server.mails.filter(({id}) => id !== 100);
    const before = topItem();
    await news();
    expect("[data-key='m:100']").toHaveCount(0);
    expect("[data-key='m:99']").toHaveCount(1);
    expect(topItem()).toEqual(before);
    expect(".o_easycrm_waiting").toHaveText("399 waiting");
});

test("a sender that is opened at the lower edge shows his mail", async () => {
    server.mails = [
        ...Array.from({length: 60}, (_, i) => mail(70 - i, `sender${i}`)),
        ...[4, 3, 2].map((id) => mail(id, "zoe")),
    ];
    await mountUnlinked();
    await scrollTo("g:zoe@acme.example");
    const scroller = queryFirst(".o_easycrm_list_scroll");
    scroller.scrollTop = scroller.scrollHeight;
    await settle();
    await click("[data-key='g:zoe@acme.example'] .o_easycrm_item_open");
    await settle();
    const {bottom} = queryFirst("[data-key='m:2']").getBoundingClientRect();
    expect(bottom).not.toBeGreaterThan(scroller.getBoundingClientRect().bottom + 1);
    expect("[data-key='g:zoe@acme.example'] .o_easycrm_item_open").toBeFocused();
});

test("what was selected in a list is selected here", async () => {
    await mountUnlinked({active_model: "easycrm.email.copy", active_ids: [2, 1, 99]});
    expect(".o_easycrm_selected").toHaveText("2 selected");
});
