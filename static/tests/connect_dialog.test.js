import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";
import {queryAllTexts, resize} from "@odoo/hoot-dom";

import {contains} from "@web/../tests/web_test_helpers";

import {openWindow, serveMailbox, server, settle, takeAsked} from "./connect_helpers";

describe.current.tags("desktop");
defineMailModels();

beforeEach(serveMailbox);

test("a permission that is gone leads back to signing in", async () => {
    Object.assign(server, {
        instead: [
            {error: "The permission was taken back.", kind: "reconnect", wait: false},
        ],
    });
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(1);
    await contains(".o_easycrm_connect_result button:contains(Sign in again)").click();
    expect(".o_easycrm_connect_sign_in").toHaveCount(1);
    expect(".o_arrow_button_current").toHaveText("Sign in");
});

test("what was left can be gone on with, or begun anew", async () => {
    server.options.left = [server.account];
    await openWindow();
    expect(".o_easycrm_connect_left p").toHaveText(server.account.words);
    await contains(".o_easycrm_connect_left button:contains(Go on)").click();
    await settle();
    expect(".o_arrow_button_current").toHaveText("Look first");
    expect(takeAsked().length).toBe(5);
});

test("beginning anew is at the first step, with the address", async () => {
    server.options.left = [server.account];
    await openWindow();
    await contains(".o_easycrm_connect_left button:contains(Start over)").click();
    await settle();
    expect(".o_arrow_button_current").toHaveText("Mailbox");
    expect(".o_easycrm_connect_email").toHaveValue("mira@tallwood.example");
});

test("starting hands over what was chosen", async () => {
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    await contains(
        ".o_easycrm_connect_choice:contains(Only who and when) input"
    ).click();
    await contains(".o_easycrm_connect_start").click();
    await settle();
    expect.verifySteps([
        'start {"folders":["INBOX","Sent"],"since":"2026-09-01","share_level":"metadata"}',
    ]);
    expect(".o_easycrm_connect").toHaveCount(0);
});

test("leaving keeps what was chosen, by the button, the cross or Escape", async () => {
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    await contains(".o_easycrm_connect .btn-close").click();
    await settle();
    expect.verifySteps([
        'leave look {"folders":["INBOX","Sent"],"since":"2026-09-01","share_level":"everything"}',
    ]);
    expect(".o_easycrm_connect").toHaveCount(0);
});

test("without a folder it does not start, and says so", async () => {
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    await contains(".o_easycrm_connect_folder:contains(INBOX) input").click();
    await contains(".o_easycrm_connect_folder:contains(Sent) input").click();
    await settle();
    expect(".o_easycrm_connect_start").not.toBeEnabled();
    expect(".o_easycrm_connect_choices [role=alert]").toHaveText(
        "Choose at least one folder."
    );
});

test("levels above the administrator's limit are greyed, with the reason", async () => {
    server.options.share_levels = ["subject", "metadata"];
    server.account.share_level = "subject";
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    const choice = ".o_easycrm_connect_choice:contains(Everything)";
    expect(`${choice} input`).not.toBeEnabled();
    expect(choice).toHaveText(/Your administrator does not allow this/);
});

test("the switch for newsletters is there where the account has it", async () => {
    server.options.fields = ["share_level", "ignore_automatic"];
    server.account.ignore_automatic = true;
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    expect("[data-kind=automatic] .o_easycrm_connect_number").toHaveText("9");
    await contains(".o_easycrm_connect_automatic input").click();
    await settle();
    expect("[data-kind=automatic]").toHaveCount(0);
});

test("a service that nobody has set up is told before it is tried", async () => {
    await openWindow({provider: "outlook"});
    expect(".o_easycrm_connect_mailbox [role=status]").toHaveText(
        /has not been set up yet/
    );
    expect(".o_easycrm_connect_next").not.toBeEnabled();
});

test("the servers of a common provider are filled in; each direction is tested", async () => {
    Object.assign(server.account, {
        provider: "imap",
        is_signed_in: false,
        step: "sign_in",
    });
    await openWindow({provider: "imap"});
    await contains(".o_easycrm_connect_email").edit("mira@gmx.de", {confirm: false});
    await contains(".o_easycrm_connect_next").click();
    await settle();
    expect.verifySteps([
        "find mira@gmx.de",
        "save provider,email,imap_host,smtp_host",
        "save provider,email,shared_mailbox",
    ]);
    expect("#easycrm_imap_host").toHaveValue("imap.gmx.net");
    expect(".o_easycrm_connect_note").toHaveText(/IMAP must be switched on/);
    await contains("#easycrm_smtp_security").select("starttls");
    expect("#easycrm_smtp_port").toHaveValue("587");
    await contains(".o_easycrm_connect_test").click();
    await settle();
    expect(".o_easycrm_connect_reading [role=status]").toHaveText("Works");
    expect(".o_easycrm_connect_sending [role=alert]").toHaveText(
        "mail.gmx.net does not answer on port 465."
    );
    expect.verifySteps([
        "save imap_auth,imap_host,imap_port,imap_security,imap_login,smtp_host,smtp_port,smtp_security",
    ]);
    expect(".o_easycrm_connect_sending").toHaveText(
        /Leave empty if you only read here/
    );
});

test("a password is kept while the window is open, and not for another address", async () => {
    Object.assign(server.account, {
        provider: "imap",
        email: "mira@gmx.de",
        is_signed_in: false,
        step: "sign_in",
    });
    await openWindow({accountId: 7});
    const password = ".o_easycrm_connect_password";
    const saved =
        "save imap_auth,imap_host,imap_port,imap_security,imap_login,imap_password,smtp_host,smtp_port,smtp_security";
    await contains(password).edit("secret", {confirm: false});
    for (const port of ["993", "994"]) {
        await contains("#easycrm_imap_port").edit(port, {confirm: false});
        await contains(".o_easycrm_connect_test").click();
        await settle();
        expect(password).toHaveValue("secret");
        expect.verifySteps([saved]);
    }
    await contains("button:contains(Back)").click();
    await contains(".o_easycrm_connect_email").edit("mira@web.de", {confirm: false});
    await contains(".o_easycrm_connect_next").click();
    await settle();
    expect(password).toHaveValue("");
    expect.verifySteps([
        "find mira@web.de",
        "save provider,email,imap_host,smtp_host",
        "save provider,email,shared_mailbox",
    ]);
});

test("what is chosen outlives a step back", async () => {
    Object.assign(server.account, {provider: "imap", imap_host: "imap.gmx.net"});
    await openWindow({accountId: 7});
    await settle();
    await contains("input[name=easycrm_share_level][value=subject]").click();
    await contains("button:contains(Back)").click();
    await contains(".o_easycrm_connect_next").click();
    await settle();
    expect("input[name=easycrm_share_level][value=subject]").toBeChecked();
    expect.verifySteps([
        "save imap_auth,imap_host,imap_port,imap_security,imap_login,smtp_host,smtp_port,smtp_security",
    ]);
});

test("servers that were filled in are not those of another address", async () => {
    const next = async (email) => {
        await contains(".o_easycrm_connect_email").edit(email, {confirm: false});
        await contains(".o_easycrm_connect_next").click();
        await settle();
    };
    const back = () => contains("button:contains(Back)").click();
    Object.assign(server.account, {provider: "imap", is_signed_in: false});
    await openWindow({provider: "imap"});
    await next("mira@gmx.de");
    expect("#easycrm_imap_host").toHaveValue("imap.gmx.net");
    await contains("#easycrm_connect_login").edit("mira", {confirm: false});
    await back();
    await next("mira@web.de");
    expect("#easycrm_imap_host").toHaveValue("imap.web.de");
    expect("#easycrm_smtp_host").toHaveValue("smtp.web.de");
    expect("#easycrm_connect_login").toHaveValue("");
    await back();
    await next("mira@acme.example");
    expect("#easycrm_imap_host").toHaveValue("");
    expect("#easycrm_smtp_host").toHaveValue("");
    await contains("#easycrm_imap_host").edit("mx.acme.example", {confirm: false});
    await back();
    await next("jonas@gmx.de");
    expect("#easycrm_imap_host").toHaveValue("mx.acme.example");
    expect.verifySteps([
        "find mira@gmx.de",
        "save provider,email,imap_host,smtp_host",
        "save provider,email,shared_mailbox",
        "find mira@web.de",
        "find mira@gmx.de",
        "save provider,email,imap_auth,imap_host,imap_port,imap_security,smtp_host,smtp_port,smtp_security",
        "save provider,email,shared_mailbox",
        "find mira@acme.example",
        "find mira@web.de",
        "save provider,email,imap_auth,imap_host,imap_port,imap_security,smtp_host,smtp_port,smtp_security",
        "save provider,email,shared_mailbox",
        "find jonas@gmx.de",
        "find mira@acme.example",
        "save provider,email,shared_mailbox",
    ]);
});

const password = ".o_easycrm_connect_password";
const byService = ".o_easycrm_connect_by_sign_in";

/** The step in which an IMAP mailbox is signed in to, with its server entered. */
async function enterServer(host) {
    Object.assign(server.account, {
        provider: "imap",
        email: "mira@tallwood.example",
        is_signed_in: false,
        step: "sign_in",
    });
    await openWindow({accountId: 7});
    expect(password).toHaveCount(1);
    await contains("#easycrm_imap_host").edit(host, {confirm: false});
    await settle();
}

test("a server that takes no password leads to the service's page", async () => {
    server.options.services.outlook = true;
    await enterServer(" Outlook.Office365.com");
    expect(password).toHaveCount(0);
    expect(byService).toHaveText(/You are led to Microsoft/);
    expect("#easycrm_smtp_host").toHaveValue("smtp.office365.com");
    expect("#easycrm_smtp_port").toHaveValue("587");
    expect(`${byService} button`).toHaveCount(0);
    expect(".o_easycrm_connect_test").not.toBeEnabled();
    expect(".o_easycrm_connect_go").toHaveText("Sign in with Microsoft");
    await contains(".o_easycrm_connect_go").click();
    await settle();
    expect.verifySteps([
        "save imap_auth,imap_host,imap_port,imap_security,imap_login,smtp_host,smtp_port,smtp_security",
        "sign in",
    ]);
    expect(server.account.imap_auth).toBe("oauth");
    await contains("#easycrm_imap_host").edit("imap.gmail.com", {confirm: false});
    expect("#easycrm_smtp_host").toHaveValue("smtp.gmail.com");
    await contains("#easycrm_smtp_host").edit("mx.acme.example", {confirm: false});
    await contains("#easycrm_imap_host").edit("imap.gmx.net", {confirm: false});
    expect(password).toHaveCount(1);
    expect(".o_easycrm_connect_next").toHaveCount(1);
    await contains("#easycrm_imap_host").edit("imap.gmail.com", {confirm: false});
    expect("#easycrm_smtp_host").toHaveValue("mx.acme.example");
});

test("without a registration it is said who makes it", async () => {
    await enterServer("outlook.office365.com");
    expect(".o_easycrm_connect_missing").toHaveText(
        /Signing in with Microsoft has not been set up yet.*A password is not taken there/s
    );
    expect(".o_easycrm_connect_go").not.toBeEnabled();
});

test("where a password is taken too, one may choose", async () => {
    await enterServer("imap.gmail.com");
    expect(password).toHaveCount(0);
    await contains(`${byService} .o_easycrm_connect_other_way`).click();
    expect(password).toHaveCount(1);
    expect(".o_easycrm_connect_note").toHaveText(/wants an app password/);
    expect(".o_easycrm_connect_next").toHaveCount(1);
    await contains(
        ".o_easycrm_connect_other_way:contains(Sign in with Google instead)"
    ).click();
    expect(byService).toHaveCount(1);
});

test("a mailbox that is signed in to goes on to the look", async () => {
    Object.assign(server.account, {
        provider: "imap",
        imap_auth: "oauth",
        imap_host: "outlook.office365.com",
    });
    server.options.services.outlook = true;
    await openWindow({accountId: 7});
    await settle();
    expect(".o_arrow_button_current").toHaveText("Look first");
    takeAsked();
    await contains("button:contains(Back)").click();
    expect(`${byService} .badge`).toHaveText("Signed in");
    expect(".o_easycrm_connect_test").toBeEnabled();
    expect(".o_easycrm_connect_next").toHaveCount(1);
});

test("of a mailbox without mail there is the sentence, and no zeros", async () => {
    server.mailbox = {INBOX: 0, Sent: 0};
    await openWindow({accountId: 7});
    await settle();
    takeAsked();
    expect(".o_easycrm_connect_sentence").toHaveText(
        /No mail since .* in these folders/
    );
    expect(".o_easycrm_connect_numbers").toHaveCount(0);
});

test("the calendar leaves the buttons beside it as they are", async () => {
    await resize({width: 390, height: 844});
    await openWindow({accountId: 7});
    await settle();
    takeAsked();
    const button = document.querySelector(".o_easycrm_connect_range");
    const {height} = button.getBoundingClientRect();
    await contains(".o_easycrm_connect_date").click();
    expect(".o_datetime_picker").toHaveCount(1);
    expect(button.getBoundingClientRect().height).toBe(height);
});

test("in a narrow window the choices stand below, and the step alone above", async () => {
    await resize({width: 390, height: 844});
    await openWindow({accountId: 7});
    await settle();
    expect(takeAsked().length).toBe(5);
    const result = document.querySelector(".o_easycrm_connect_result");
    const choices = document.querySelector(".o_easycrm_connect_choices");
    expect(choices.getBoundingClientRect().top).toBeGreaterThan(
        result.getBoundingClientRect().bottom - 2
    );
    expect(queryAllTexts(".o_arrow_button:visible")).toEqual(["Look first"]);
});
