import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {beforeEach, describe, expect, test} from "@odoo/hoot";

import {contains, makeServerError, onRpc} from "@web/../tests/web_test_helpers";

import {openWindow, serveMailbox, server, settle} from "./connect_helpers";

describe.current.tags("desktop");
defineMailModels();

beforeEach(() => {
    serveMailbox();
    Object.assign(server.account, {
        provider: "imap",
        is_signed_in: false,
        step: "sign_in",
    });
});

const where = ".o_easycrm_connect_where";

/** The step after the address, of a mailbox on a mail server. */
async function enter(email) {
    await openWindow({provider: "imap"});
    await contains(".o_easycrm_connect_email").edit(email, {confirm: false});
    await contains(".o_easycrm_connect_next").click();
    await settle();
}

test("of a domain that nobody knows it is asked where it has its mail", async () => {
    await enter("anna@company.example");
    expect(where).toHaveText(/Where company.example has its mail is not known here/);
    await contains(`${where} [data-provider=gmail]`).click();
    await settle();
    expect(".o_easycrm_connect_sign_in").toHaveText(/You are led to Google/);
    expect("#easycrm_imap_host").toHaveCount(0);
    expect(".o_easycrm_connect_go").toHaveText("Sign in with Google");
    expect.verifySteps([
        "find anna@company.example",
        "save provider,email,shared_mailbox",
        "save provider,email,shared_mailbox",
    ]);
    expect(server.account.provider).toBe("gmail");
});

test("a service that is not set up is told of, with the address kept", async () => {
    await enter("anna@company.example");
    await contains(`${where} [data-provider=outlook]`).click();
    await settle();
    expect(".o_easycrm_connect_mailbox [role=status]").toHaveText(
        /has not been set up yet/
    );
    expect(".o_easycrm_connect_email").toHaveValue("anna@company.example");
    expect(".o_easycrm_connect_next").not.toBeEnabled();
    expect.verifySteps([
        "find anna@company.example",
        "save provider,email,shared_mailbox",
    ]);
});

test("where it cannot be saved, the window goes on as the mailbox is", async () => {
    await enter("anna@company.example");
    onRpc("easycrm.email.account", "connect_save", () => {
        expect.step("save fails");
        throw makeServerError({message: "This mailbox is connected already."});
    });
    await contains(`${where} [data-provider=gmail]`).click();
    await settle();
    expect(".o_easycrm_connect_error").toHaveText("This mailbox is connected already.");
    expect("#easycrm_imap_host").toHaveCount(1);
    expect.verifySteps([
        "find anna@company.example",
        "save provider,email,shared_mailbox",
        "save fails",
    ]);
});

test("it stays while a server is typed, and goes once that is one of theirs", async () => {
    await enter("anna@company.example");
    await contains("#easycrm_imap_host").edit("mx.company.example", {confirm: false});
    expect(where).toHaveCount(1);
    await contains("#easycrm_imap_host").edit("imap.gmail.com", {confirm: false});
    expect(where).toHaveCount(0);
    expect.verifySteps([
        "find anna@company.example",
        "save provider,email,shared_mailbox",
    ]);
});

test("of a common provider nothing is asked", async () => {
    await enter("mira@gmx.de");
    expect(where).toHaveCount(0);
    expect.verifySteps([
        "find mira@gmx.de",
        "save provider,email,imap_host,smtp_host",
        "save provider,email,shared_mailbox",
    ]);
});
