/** A mailbox as the connect window asks for it, for the tests. */

import {animationFrame, mockDate} from "@odoo/hoot-mock";

import {getService, mountWithCleanup, onRpc} from "@web/../tests/web_test_helpers";
import {MainComponentsContainer} from "@web/core/main_components_container";
import {expect} from "@odoo/hoot";

/**
 * What the server has. `mailbox`: folder -> how many mails; `instead`: what the next looks give, one by one; `hold`:
 * what they wait for; `asked`: what was looked at.
 */
export const server = {};

const SERVERS = {
    "gmx.de": {
        imap_host: "imap.gmx.net",
        smtp_host: "mail.gmx.net",
        password_note: "enable",
    },
    "web.de": {imap_host: "imap.web.de", smtp_host: "smtp.web.de"},
};

/** To be called before each test. */
export function serveMailbox() {
    mockDate("2026-11-30 12:00:00");
    Object.assign(server, {
        mailbox: {INBOX: 30, Sent: 12, Projekte: 6},
        instead: [],
        hold: null,
        asked: [],
        account: {
            id: 7,
            provider: "gmail",
            email: "mira@tallwood.example",
            imap_auth: "password",
            is_signed_in: true,
            service: "Google",
            error: false,
            step: "look",
            words: "You stopped at “Look first” yesterday at 16:40. Your choices are kept, no mail is.",
            since: "2026-09-01",
            folders: false,
            share_level: "everything",
        },
        options: {
            email: "mira@tallwood.example",
            services: {gmail: true, outlook: false},
            sign_in_hosts: {
                "imap.gmail.com": {
                    service: "gmail",
                    password_note: "app",
                    sending: {smtp_host: "smtp.gmail.com", smtp_port: 465},
                },
                "smtp.office365.com": {service: "outlook", password_note: ""},
                "outlook.office365.com": {
                    service: "outlook",
                    password_note: "",
                    sending: {smtp_host: "smtp.office365.com", smtp_port: 587},
                },
            },
            share_levels: ["everything", "subject", "metadata"],
            fields: ["share_level"],
            left: [],
        },
    });
    const on = (name, callback) => onRpc("easycrm.email.account", name, callback);
    on("connect_get_options", () => server.options);
    on("connect_read", () => server.account);
    on("connect_restart", () => ({...server.account, step: "mailbox", words: false}));
    on("connect_find_servers", ({args}) => {
        expect.step(`find ${args[0]}`);
        return SERVERS[args[0].split("@")[1]] || false;
    });
    on("connect_save", ({args}) => {
        expect.step(`save ${Object.keys(args[1])}`);
        Object.assign(server.account, args[1]);
        // (it is never told)
        delete server.account.imap_password;
        return server.account;
    });
    on("connect_test", ({args}) =>
        args[1] === "sending" ? "mail.gmx.net does not answer on port 465." : false
    );
    on("connect_get_folders", () => ({
        now: "2026-11-30 12:00:00",
        folders: Object.keys(server.mailbox).map((stream) => ({
            stream,
            name: stream,
            role: "other",
            default: stream !== "Projekte",
        })),
    }));
    on("connect_look", async ({args}) => {
        const [, stream, since, until, position, size] = args;
        await server.hold;
        if (size === 0) {
            return {mails: [], position: "", total: server.mailbox[stream], pause: 0};
        }
        server.asked.push(`${stream} ${since} ${until} ${position}`);
        return server.instead.length
            ? server.instead.shift()
            : page(stream, Number(position || 0));
    });
    on("connect_sign_in", () => {
        expect.step("sign in");
        return {type: "ir.actions.act_window_close"};
    });
    on("connect_leave", ({args}) => {
        expect.step(`leave ${args[1]} ${JSON.stringify(args[2])}`);
        return true;
    });
    on("connect_start", ({args}) => {
        expect.step(`start ${JSON.stringify(args[1])}`);
        return false;
    });
}

/** Ten mails of a folder at a time, a day apart from each other; every third matches. */
export function page(stream, from, values = {}) {
    const to = Math.min(from + 10, server.mailbox[stream]);
    const mails = [];
    for (let number = from; number < to; number++) {
        const day = luxon.DateTime.utc().minus({days: number}).toISODate();
        const kind = number % 3 ? "strangers" : "match";
        const contacts = number % 3 ? [] : [number];
        mails.push([
            `${stream}${number}`,
            day,
            kind,
            number % 5 === 1,
            contacts,
            [],
            [],
        ]);
    }
    const position = to < server.mailbox[stream] ? String(to) : "";
    return {
        mails,
        position,
        done: to,
        total: server.mailbox[stream],
        pause: 0,
        ...values,
    };
}

/** What was looked at since this was asked. */
export function takeAsked() {
    return server.asked.splice(0);
}

export async function openWindow(params = {}) {
    await mountWithCleanup(MainComponentsContainer);
    getService("easycrm_mail.connect").open(params);
    await settle();
}

/** Until nothing is under way any more. */
export async function settle() {
    for (let turn = 0; turn < 15; turn++) {
        await animationFrame();
    }
}
