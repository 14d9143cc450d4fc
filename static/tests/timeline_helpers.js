/** Mails and conversations as the server hands them over, for the tests. */

export const ME = {
    name: "Mira Okafor",
    address: "mira@tallwood.example",
    me: true,
    partner_id: 1,
};
export const ANNA = {
    name: "Anna Berg",
    address: "anna@nordlicht.example",
    me: false,
    partner_id: false,
};

export function email(id, values = {}) {
    return {
        id,
        thread_id: 1,
        date: `2026-11-24 08:00:${String(id).padStart(2, "0")}`,
        direction: "inbound",
        from: ANNA,
        to: [ME],
        cc: [],
        bcc: [],
        more_people: 0,
        subject: `Mail ${id}`,
        snippet: "Text",
        level: "everything",
        sharers: [],
        shared: null,
        attachments: [],
        versions: [],
        ...values,
    };
}

export function conversation(threadId, ids, values = {}) {
    const emails = ids.map((id) => email(id, {thread_id: threadId, ...values}));
    return {thread_id: threadId, count: ids.length, privacy: "shared", emails};
}

/** A mailing, as one of the timeline's conversations. */
export function campaign(id, told = {}, values = {}) {
    const mail = email(-id, {
        thread_id: -id,
        date: `2026-11-24 08:00:${String(id).padStart(2, "0")}`,
        direction: "campaign",
        from: {...ME, name: "Tallwood Furniture", me: false},
        to: [ANNA],
        subject: `Mailing ${id}`,
        snippet: false,
        campaign: {
            mailing_id: false,
            opens: 0,
            opened_at: false,
            last_opened_at: false,
            links: [],
            more_links: 0,
            replied: false,
            bounced: false,
            reason: false,
            complained: false,
            unsubscribed: false,
            unsubscribed_from: false,
            ...told,
        },
        ...values,
    });
    return {thread_id: -id, count: 1, privacy: false, emails: [mail]};
}

/** The newest page of a timeline; counts are those of what is on it. */
export function page(conversations, values = {}) {
    const count = conversations.reduce((sum, {emails}) => sum + emails.length, 0);
    return {
        conversations,
        next: false,
        count,
        count_capped: false,
        conversation_count: conversations.length,
        campaign_count: 0,
        looked_at: count,
        empty: conversations.length ? false : "nothing",
        empty_detail: {},
        progress: false,
        notices: [],
        ...values,
    };
}

export function shape(conversations) {
    return conversations.map(({thread_id, emails}) => [
        thread_id,
        emails.map(({id}) => id),
    ]);
}
