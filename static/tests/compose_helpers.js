/** A Send Email window as the server hands it over, for the tests. */

import {onRpc} from "@web/../tests/web_test_helpers";

export const ANNA = {name: "Anna Berg", address: "anna@acme.example", partner_id: 7};
export const FROM = {
    account_id: 1,
    name: "Mira Okafor",
    address: "mira@ours.example",
    email_from: "Mira Okafor <mira@ours.example>",
    provider: "gmail",
    limit_bytes: 4000,
    limit_recipients: 500,
    last_used: false,
    why_not: "",
};

export function composeWindow(values = {}) {
    return {
        id: 5,
        outgoing_id: false,
        saved_at: false,
        records: [
            {
                id: 7,
                model: "res.partner",
                name: "Anna Berg",
                kind: "contact",
                address: ANNA.address,
            },
        ],
        many: false,
        from: [FROM],
        account_id: 1,
        from_address: FROM.address,
        recipients: {to: [ANNA], cc: [], bcc: []},
        subject: "",
        body: "<p>Hello</p>",
        quote: false,
        reply_kind: "new",
        files: [],
        forwarded: [],
        documents: 0,
        template: false,
        track_opens: false,
        ...values,
    };
}

/** Answers of the server; what is saved and sent goes to `calls`. */
export function mockCompose(values = {}, answers = {}) {
    const calls = [];
    const defaults = {
        easycrm_open: () => composeWindow(values),
        easycrm_save: () => ({outgoing_id: 9, saved_at: "2026-11-24 08:41:00"}),
        easycrm_send: () => ({
            ids: [9],
            seconds: 10,
            to: "Anna Berg",
            scheduled_at: false,
        }),
        easycrm_discard: () => true,
        easycrm_suggest: () => [],
        easycrm_read_people: ([text]) => [{name: "", address: text, partner_id: false}],
    };
    for (const [name, answer] of Object.entries({...defaults, ...answers})) {
        onRpc("easycrm.email.compose", name, ({args}) => {
            calls.push([name, ...args.slice(name === "easycrm_suggest" ? 0 : 1)]);
            return answer(args);
        });
    }
    onRpc("easycrm.email.outgoing", "easycrm_wake", () => {
        calls.push(["easycrm_wake"]);
        return true;
    });
    return calls;
}

export function namesOf(calls) {
    return calls.map(([name]) => name);
}
