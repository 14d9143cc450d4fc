/**
 * One record's timeline as the browser knows it: what was loaded, what is open, what comes next. The components only
 * show it. A store belongs to one record for good, so an answer that comes late can never land on another one.
 */

import {reactive, toRaw} from "@odoo/owl";
import {
    appendPage,
    mergeEmails,
    refreshPage,
    withEmail,
    withoutEmail,
} from "./timeline_model";

/** Records whose timeline is kept while the form stays open, so that going back shows it at once. */
const KEPT_RECORDS = 8;

/** @type {WeakMap<Object, Map<number, TimelineStore>>} stores by the form's model */
const storesByModel = new WeakMap();

export class TimelineStore {
    /** @param {Object} orm the service itself: an answer is wanted though a component is gone */
    constructor(orm, resModel, resId) {
        this.orm = orm;
        this.resModel = resModel;
        this.resId = resId;
        /** @type {"new"|"loading"|"ready"|"failed"} */
        this.status = "new";
        /** @type {"idle"|"loading"|"failed"} of the older pages */
        this.more = "idle";
        /** @type {import("./timeline_model").Conversation[]} */
        this.conversations = [];
        /** @type {string|false} where the next older page begins */
        this.next = false;
        this.pages = 0;
        this.count = 0;
        this.countCapped = false;
        this.empty = false;
        this.emptyDetail = {};
        this.progress = false;
        this.notices = [];
        /** Open conversations by thread: {expanded, unfolded, status}. */
        this.opened = {};
    }

    call(params) {
        return this.orm.silent.call(
            this.resModel,
            "easycrm_timeline",
            [[this.resId]],
            params
        );
    }

    /** The newest page; what is already shown stays in sight until it is here. */
    async load() {
        if (this.status === "loading") {
            return;
        }
        const known = this.status === "ready";
        if (!known) {
            this.status = "loading";
        }
        try {
            this.takeNewest(await this.call({}), known);
            this.status = "ready";
        } catch {
            // What is shown stays; without anything to show, the reader is told and may try again.
            this.status = known ? "ready" : "failed";
        }
    }

    takeNewest(page, known) {
        // With older pages below, and nothing gone, the newest page is folded in and the rest keeps its place.
        if (known && this.pages > 1 && page.count >= this.count) {
            this.conversations = refreshPage(this.conversations, page.conversations);
        } else {
            this.conversations = page.conversations.map((conversation) =>
                this.keepOpened(conversation)
            );
            this.next = page.next;
            this.pages = 1;
        }
        this.count = page.count;
        this.countCapped = page.count_capped;
        this.empty = page.empty;
        this.emptyDetail = page.empty_detail || {};
        this.progress = page.progress;
        this.notices = page.notices;
        for (const conversation of page.conversations) {
            if (this.opened[conversation.thread_id]) {
                this.loadThread(conversation.thread_id);
            }
        }
    }

    /** An open conversation keeps the mails that a page does not bring, until they are read anew. */
    keepOpened(conversation) {
        const known =
            this.isOpen(conversation.thread_id) && this.find(conversation.thread_id);
        const emails = known ? mergeEmails(known.emails, conversation.emails) : [];
        return emails.length > conversation.emails.length &&
            emails.length <= conversation.count
            ? {...conversation, emails}
            : conversation;
    }

    /** The next older page, below what is shown. */
    async loadMore() {
        if (!this.next || this.more === "loading" || this.status !== "ready") {
            return;
        }
        this.more = "loading";
        const before = this.next;
        try {
            const page = await this.call({before});
            if (this.next === before) {
                this.conversations = appendPage(this.conversations, page.conversations);
                this.next = page.next;
                this.pages++;
            }
            this.more = "idle";
        } catch {
            this.more = "failed";
        }
    }

    find(threadId) {
        return this.conversations.find(({thread_id}) => thread_id === threadId);
    }

    isOpen(threadId) {
        return threadId in this.opened;
    }

    open(threadId) {
        const [newest] = this.find(threadId).emails;
        this.opened[threadId] = {
            expanded: new Set([newest.id]),
            unfolded: false,
            status: "idle",
        };
        return this.loadThread(threadId);
    }

    close(threadId) {
        delete this.opened[threadId];
    }

    /** Opens a mail of an open conversation in full, or folds it to its line. */
    toggleEmail(threadId, emailId) {
        const {expanded} = this.opened[threadId];
        if (!expanded.delete(emailId)) {
            expanded.add(emailId);
        }
    }

    unfold(threadId) {
        this.opened[threadId].unfolded = true;
    }

    /** The rest of a conversation, when a page did not bring all of it. */
    async loadThread(threadId) {
        const conversation = this.find(threadId);
        const opened = this.opened[threadId];
        if (
            !conversation ||
            !opened ||
            conversation.emails.length >= conversation.count
        ) {
            return;
        }
        opened.status = "loading";
        try {
            const page = await this.call({thread_id: threadId});
            this.conversations = appendPage(this.conversations, page.conversations);
            opened.status = "idle";
        } catch {
            opened.status = "failed";
        }
    }

    callLink(method, linkId) {
        return this.orm.call("easycrm.email.link", method, [[linkId]]);
    }

    /** Takes a link off; a mail that stood here by it goes at once. */
    async takeOff(linkId, email = null) {
        await this.callLink("action_take_off", linkId);
        if (email) {
            this.removeEmail(email);
        }
    }

    async putBack(linkId, email = null) {
        await this.callLink("action_put_back", linkId);
        if (email) {
            this.conversations = withEmail(this.conversations, email);
            this.count++;
            this.empty = false;
        }
    }

    removeEmail(email) {
        this.conversations = withoutEmail(this.conversations, email.id);
        this.count = Math.max(0, this.count - 1);
        if (!this.find(email.thread_id)) {
            this.close(email.thread_id);
        }
        if (!this.conversations.length) {
            // Why there is nothing is the server's to say.
            this.load();
        }
    }
}

/**
 * The store of one record within one form.
 *
 * @param {Object} model the form's relational model: the stores live as long as it does
 * @returns {TimelineStore}
 */
export function timelineStore(model, orm, resModel, resId) {
    const form = toRaw(model);
    if (!storesByModel.has(form)) {
        storesByModel.set(form, new Map());
    }
    const stores = storesByModel.get(form);
    const store =
        stores.get(resId) || reactive(new TimelineStore(orm, resModel, resId));
    // The latest used goes last, the longest unused first.
    stores.delete(resId);
    stores.set(resId, store);
    if (stores.size > KEPT_RECORDS) {
        stores.delete(stores.keys().next().value);
    }
    return store;
}
