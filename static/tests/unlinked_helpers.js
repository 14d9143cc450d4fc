/** A server of Unlinked Emails for the tests: it holds mails, and writes down what is asked of it. */

import {expect} from "@odoo/hoot";
import {press, queryAllTexts, queryFirst} from "@odoo/hoot-dom";
import {advanceTime, animationFrame} from "@odoo/hoot-mock";

import {
    fields,
    getService,
    makeMockEnv,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {getDefaultConfig} from "@web/views/view";

import {UnlinkedAction} from "@easycrm_mail/unlinked/unlinked_action";

export class EasycrmEmailCopy extends models.Model {
    _name = "easycrm.email.copy";
    from_address = fields.Char();
    from_domain = fields.Char();
    is_unlinked = fields.Boolean();
    _views = {
        search: `<search>
            <field name="from_address"/>
            <filter name="ignored" string="Ignored" domain="[]"
                context="{'easycrm_mail_ignored': True}"/>
            <filter name="domain" string="Domain" context="{'group_by': 'from_domain'}"/>
            <filter name="sender" string="Sender" context="{'group_by': 'from_address'}"/>
            <filter name="none" string="None" domain="[('from_address', '=', 'none')]"/>
        </search>`,
    };
}

export const CHAIRS = {
    ...{model: "crm.lead", id: 7, kind: "opportunity", name: "Acme – 40 chairs"},
    ...{detail: "Proposition", avatar: null, reasons: ["Same domain: acme.example"]},
};
export const LENA = {
    ...{model: "res.partner", id: 9, kind: "contact", name: "Lena Hartmann"},
    ...{detail: "Acme", avatar: null, reasons: []},
};

const twoDigits = (number) => String(Math.floor(number)).padStart(2, "0");

export function mail(id, sender = "anna", values = {}) {
    return {
        ...{id, email_id: 100 + id, thread_id: 200 + id, people: sender},
        from_name: sender,
        from_address: `${sender}@acme.example`,
        subject: `Mail ${id}`,
        snippet: "Text",
        date: `2026-11-24 08:${twoDigits(id / 60)}:${twoDigits(id % 60)}`,
        ...{account_id: 1, mailbox: "mira", direction: "inbound"},
        ...{has_attachments: false, is_read: true, ignored: false, ...values},
    };
}

/** Seven of one sender, and one each of two others. */
function usualMails() {
    return [
        ...[9, 8, 7, 6, 5, 4, 3].map((id) => mail(id, "anna")),
        mail(2, "bruno"),
        mail(1, "clara"),
    ];
}

/** @param {Object[]} [mails] of {@link mail}, the newest first */
export function mockUnlinked(mails = usualMails()) {
    const server = {
        mails,
        steps: 0,
        undo: {},
        question: null,
        empty: "nothing",
        /** Why the mail that is read stands where it does. */
        reasons: [],
        fails: new Set(),
    };
    const isAsked = (domain) => !JSON.stringify(domain).includes("none");
    const keyOf = (row, by) =>
        by === "from_domain" ? row.from_address.split("@")[1] : row.from_address;
    const waiting = ([domain], {ignored, key, by}) =>
        server.mails.filter(
            (row) =>
                isAsked(domain) &&
                row.ignored === Boolean(ignored) &&
                (key === undefined || keyOf(row, by) === key)
        );
    const on = (method, answer) =>
        onRpc("easycrm.email.copy", method, async ({args, kwargs}) => {
            if (server.fails.has(method)) {
                throw new Error(`No ${method}`);
            }
            return answer(args, kwargs);
        });
    const take = (kind, ids, values) => {
        const batch = ++server.steps;
        const before = server.mails;
        server.undo[batch] = () => (server.mails = before);
        server.mails = before
            .map((row) => (ids.includes(row.id) ? values(row) : row))
            .filter(Boolean);
        return {batch, count: ids.length, message: `${ids.length} mails ${kind}`};
    };

    const pageOf = (args, options) => {
        const rows = waiting(args, options);
        const start = options.cursor || 0;
        const end = start + options.limit;
        return {rows: rows.slice(start, end), next: end < rows.length ? end : null};
    };
    on("unlinked_count", () => waiting([[]], {}).length);
    on("unlinked_groups", (args, options) => {
        const {offset, limit, ignored, by, first_rows: firstRows} = options;
        const rows = waiting(args, {ignored}).filter(
            (row) => !options.keys || options.keys.includes(keyOf(row, by))
        );
        const groups = new Map();
        for (const row of rows) {
            const {from_address: address, from_name: name, date, subject} = row;
            const key = keyOf(row, by);
            const label = by === "from_domain" ? key : name;
            const known = {key, label, address, name, count: 0, latest: date, subject};
            groups.set(key, groups.get(key) || known);
            groups.get(key).count++;
        }
        const found = [...groups.values()].slice(offset, offset + limit);
        return {
            ...{groups: found, total: groups.size, mails: rows.length},
            first:
                firstRows && found.length
                    ? pageOf(args, {ignored, by, key: found[0].key, limit: firstRows})
                    : null,
        };
    });
    on("unlinked_page", pageOf);
    on("unlinked_ids", (args, options) => {
        const ids = waiting(args, options).map(({id}) => id);
        return {ids: ids.slice(0, 1000), total: ids.length};
    });
    on("suggest_records", () => ({suggested: [CHAIRS], recent: [LENA]}));
    on("find_records", ([words]) =>
        [CHAIRS, LENA].filter(({name}) => name.toLowerCase().includes(words))
    );
    on("new_record_defaults", () => ({
        ...{name: "Anna", email: "anna@acme.example", phone: "+49 30 1", company: ""},
        context: {default_name: "Anna"},
    }));
    on("link_to", ([ids, model, id]) => {
        expect.step(`link ${ids.join()} to ${model},${id}`);
        return {...take("linked", ids, () => null), question: server.question};
    });
    on("teach", ([batch, scope]) => {
        expect.step(`teach ${batch} ${scope}`);
        const ids = server.mails
            .filter((row) => row.from_address === "anna@acme.example")
            .map(({id}) => id);
        const before = server.undo[batch];
        const result = take("also placed", ids, () => null);
        server.undo[batch] = before;
        return {...result, batch};
    });
    on("find_others", ([batch, scope]) => {
        expect.step(`look ${batch} ${scope}`);
        return {rows: server.mails.slice(0, 2)};
    });
    on("ignore", ([ids, scope]) => {
        expect.step(`ignore ${ids.join()} ${scope}`);
        return take("ignored", ids, (row) => ({...row, ignored: true}));
    });
    on("bring_back", ([ids]) => {
        expect.step(`bring back ${ids.join()}`);
        return take("brought back", ids, (row) => ({...row, ignored: false}));
    });
    on("undo", ([batch]) => {
        expect.step(`undo ${batch}`);
        server.undo[batch]();
        return {count: 1, message: "Undone"};
    });
    on("search", ([[[, , ids]]]) =>
        server.mails.map(({id}) => id).filter((id) => ids.includes(id))
    );
    onRpc("easycrm.email", "easycrm_why", () => server.reasons);
    onRpc("easycrm.email", "easycrm_sharing", () => ({
        privacy: false,
        sentence: false,
    }));
    onRpc("easycrm.email", "easycrm_history", () => []);
    onRpc("easycrm.email.link", "action_put_back", ({args: [[id]]}) => {
        expect.step(`put back ${id}`);
        const before = server.mails;
        server.mails = server.mails.slice(1);
        const step = ++server.steps;
        server.undo[step] = () => (server.mails = before);
        return [step];
    });
    on("unlinked_empty", () => ({kind: server.empty, left: false}));
    onRpc("easycrm.email", "easycrm_values", ({args: [[id]]}) => ({
        ...{id, thread_id: 1, date: "2026-11-24 08:00:00", direction: "inbound"},
        from: {name: "Anna", address: "anna@acme.example", me: false},
        ...{
            to: [],
            cc: [],
            bcc: [],
            more_people: 0,
            subject: `Mail ${id - 100}`,
            snippet: "Text",
        },
        ...{level: "everything", sharers: [], attachments: [], versions: []},
    }));
    onRpc("easycrm.email", "easycrm_body", () => ({
        document: "<html><body>Text</body></html>",
        ...{has_quote: false, remote_count: 0, remote_hosts: []},
    }));
    return server;
}

/** What is asked after a drop. */
export const QUESTION = {
    title: "What should be linked from now on?",
    options: [
        {scope: "these", label: "Only these", count: 0, disabled: false, why: null},
        {
            scope: "thread",
            label: "The conversation",
            count: 0,
            disabled: false,
            why: null,
        },
        {scope: "address", label: "Always anna", count: 2, disabled: false, why: null},
        {
            scope: "domain",
            label: "Always @x",
            count: 0,
            disabled: true,
            why: "Too many",
        },
    ],
};

/** Lets what was asked be answered, and drawn. */
export async function settle() {
    for (let turn = 0; turn < 4; turn++) {
        await advanceTime(250);
        await animationFrame();
    }
}

export async function mountUnlinked(context = {}) {
    const env = await makeMockEnv({config: getDefaultConfig()});
    await mountWithCleanup(UnlinkedAction, {
        env,
        props: {action: {context, params: {}}, actionId: 1, className: ""},
    });
    await settle();
}

export const subjects = () =>
    queryAllTexts(".o_easycrm_item_mail .o_easycrm_item_title");
export const senders = () =>
    queryAllTexts(".o_easycrm_item_group .o_easycrm_item_title");
export const cursor = () => queryFirst(".o_easycrm_cursor")?.dataset.key;
export const selected = () => queryAllTexts(".o_easycrm_checked .o_easycrm_item_title");

export async function keys(...names) {
    for (const name of names) {
        await press(name);
    }
    await settle();
}

/** What the server tells whose list has changed. */
export async function news() {
    getService("easycrm_mail.unlinked").state.changes++;
    await advanceTime(3000);
    await settle();
}
