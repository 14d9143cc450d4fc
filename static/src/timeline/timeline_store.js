/**
 * One record's timeline as the browser knows it: what was loaded, what is open, what comes next. The components only
 * show it. A store belongs to one record for good, so an answer that comes late can never land on another one.
 */

import {NO_FILTERS, filterParams, isFiltered} from "./timeline_filters";
import {
    appendPage,
    newEmails,
    refreshPage,
    withEmail,
    withoutEmail,
} from "./timeline_model";

/**
 * Undoes what was just done, and only that.
 *
 * @param {Object} orm the service itself: an answer is wanted though a component is gone
 * @param {number[]} steps
 */
export async function undoSteps(orm, steps) {
    for (const step of steps) {
        await orm.call("easycrm.email.copy", "undo", [step]);
    }
}

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
        this.conversationCount = 0;
        /** Of all mailings here, whatever the filters. */
        this.campaignCount = 0;
        this.empty = false;
        this.emptyDetail = {};
        this.progress = false;
        this.notices = [];
        /** What is written from this record and has not left, see `easycrm_planned`. */
        this.planned = [];
        /** Open conversations by thread: {expanded, unfolded, status}. */
        this.opened = {};
        /** @type {Object<number, import("./timeline_model").Email>} the version that is read instead, by the mail shown */
        this.versions = {};
        /** @type {import("./timeline_filters").Filters} */
        this.filters = NO_FILTERS;
        /** An answer to other filters than those of what is shown is awaited. */
        this.searching = false;
        /** Emails that were looked through, and those found in them so far. */
        this.lookedAt = 0;
        this.found = 0;
        /** @type {Object|null} a newest page that waits until the reader wants it, and how many mails are new in it */
        this.held = null;
        this.newCount = 0;
        /** New mails that have just slid in. */
        this.arrived = 0;
        /** @type {Set<number>} conversations that they belong to */
        this.fresh = new Set();
        /** @type {{isAtTop: () => boolean}|null} the component that is shown; nobody is disturbed where there is none */
        this.reader = null;
    }

    get isFiltered() {
        return isFiltered(this.filters);
    }

    call(params) {
        return this.orm.silent.call(
            this.resModel,
            "easycrm_timeline",
            [[this.resId]],
            params
        );
    }

    /** A page for the filters of now; null when others were chosen before it came. */
    async callPage(params = {}) {
        const {filters} = this;
        const narrowed = filterParams(filters);
        const page = await this.call({...params, ...(narrowed && {filters: narrowed})});
        return filters === this.filters ? page : null;
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
            const page = await this.callPage();
            if (page && !this.searching) {
                this.takeNewest(page);
            }
            this.status = "ready";
        } catch {
            // What is shown stays; without anything to show, the reader is told and may try again.
            this.status = known ? "ready" : "failed";
        }
    }

    /** What has not left; what goes wrong here is made good by the next piece of news. */
    async loadPlanned() {
        this.planned = await this.orm.silent
            .call("easycrm.email.outgoing", "easycrm_planned", [
                this.resModel,
                this.resId,
            ])
            .catch(() => this.planned);
    }

    /** What is new: it slides in while the reader is at the top, else it waits and is told. */
    async refresh() {
        if (this.status !== "ready") {
            return this.load();
        }
        let page;
        try {
            page = await this.callPage();
        } catch {
            return; // the next piece of news tries again
        }
        if (!page || this.searching) {
            return;
        }
        const fresh = newEmails(this.conversations, page.conversations);
        if (
            fresh.length &&
            this.conversations.length &&
            this.reader &&
            !this.reader.isAtTop()
        ) {
            this.held = page;
            this.newCount = fresh.length;
            this.takeHeader(page);
            return;
        }
        this.takeNewest(page);
        if (fresh.length && this.reader) {
            this.fresh = new Set(fresh.map(({thread_id}) => thread_id));
            this.arrived = fresh.length;
        }
    }

    /** What has waited. */
    showHeld() {
        if (this.held) {
            this.takeNewest(this.held);
        }
    }

    /** Narrows the timeline, or widens it again. */
    async setFilters(filters) {
        this.filters = filters;
        this.searching = true;
        this.opened = {};
        try {
            const page = await this.callPage();
            if (page) {
                this.conversations = [];
                this.pages = 0;
                this.more = "idle";
                this.takeNewest(page);
                this.status = "ready";
                this.searching = false;
            }
        } catch {
            if (filters === this.filters) {
                this.status = "failed";
                this.searching = false;
            }
        }
    }

    takeHeader(page) {
        this.count = page.count;
        this.countCapped = page.count_capped;
        this.conversationCount = page.conversation_count;
        this.campaignCount = page.campaign_count;
        this.lookedAt = page.looked_at;
        this.progress = page.progress;
        this.notices = page.notices;
    }

    takeNewest(page) {
        this.held = null;
        this.newCount = 0;
        this.conversations = refreshPage(this.conversations, page.conversations, {
            isLast: !page.next,
            keeps: (threadId) => this.isOpen(threadId),
        });
        // With older pages below, these keep their place.
        if (this.pages <= 1 || !page.next) {
            this.next = page.next;
            this.pages = 1;
            this.found = page.conversations.reduce(
                (sum, {emails}) => sum + emails.length,
                0
            );
        }
        this.takeHeader(page);
        this.empty = page.empty;
        this.emptyDetail = page.empty_detail || {};
        for (const conversation of page.conversations) {
            if (this.isOpen(conversation.thread_id)) {
                this.loadThread(conversation.thread_id);
            }
        }
        for (const threadId of Object.keys(this.opened)) {
            if (!this.find(Number(threadId))) {
                this.close(threadId);
            }
        }
    }

    /** The next older page, below what is shown. */
    async loadMore() {
        if (!this.next || this.more === "loading" || this.status !== "ready") {
            return;
        }
        this.more = "loading";
        const before = this.next;
        try {
            const page = await this.callPage({before});
            if (!page) {
                return;
            }
            if (this.next === before) {
                this.takeOlder(page);
            }
            this.more = "idle";
        } catch {
            this.more = "failed";
        }
    }

    takeOlder(page) {
        this.conversations = appendPage(this.conversations, page.conversations);
        this.next = page.next;
        this.pages++;
        this.found += page.conversations.reduce(
            (sum, {emails}) => sum + emails.length,
            0
        );
        if (this.isFiltered && !page.next) {
            // All is looked through: now it is known how many fit.
            this.count = this.found;
            this.countCapped = false;
            this.conversationCount = this.conversations.length;
            this.empty = this.found ? false : "filtered";
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

    /** The version of a mail that is read, when several mailboxes hold it. */
    versionOf(email) {
        return this.versions[email.id] || email;
    }

    async showVersion(email, versionId) {
        if (versionId === email.id) {
            delete this.versions[email.id];
            return;
        }
        const values = await this.orm.call("easycrm.email", "easycrm_values", [
            [versionId],
        ]);
        this.versions[email.id] = {...values, versions: email.versions};
    }

    /** Takes a link off; a mail that stood here by it goes at once. Returns the steps that this was. */
    async takeOff(linkId, email = null) {
        const steps = await this.orm.call("easycrm.email.link", "action_take_off", [
            [linkId],
        ]);
        if (email) {
            this.removeEmail(email);
        }
        return steps;
    }

    async undoTakeOff(steps, email = null) {
        await undoSteps(this.orm, steps);
        if (email) {
            this.conversations = withEmail(this.conversations, email);
            this.count++;
            this.empty = false;
        }
    }

    /** Makes a conversation private, or shares it again; returns whose it is now. */
    async setPrivate(threadId, isPrivate) {
        const privacy = await this.orm.call(
            "easycrm.email.thread",
            isPrivate ? "action_make_private" : "action_share",
            [[threadId]]
        );
        this.conversations = this.conversations.map((conversation) =>
            conversation.thread_id === threadId
                ? {...conversation, privacy}
                : conversation
        );
        return privacy;
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
