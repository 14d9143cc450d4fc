/**
 * One Send Email window as the browser knows it: what is written, what is saved, what is sent. The components only
 * show it.
 */

import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {Mutex} from "@web/core/utils/concurrency";
import {Attachments} from "./attachments";
import {wordsOf} from "./compose_words";
import {TypedPeople} from "./typed_people";

const MODEL = "easycrm.email.compose";

/** Milliseconds without a key before what is written is saved, and that it waits at most. */
const SAVE_DELAY = 1500;

/** How much larger a file is on its way than it is here: mailboxes count what is on the way. */
const ENCODED = 4 / 3;

/** A missing value in the subject. */
const BRACES = /\{\{([^{}]*)\}\}/g;

/** Told on the environment's bus when a window has changed what is written and has not left. */
export const OUTBOX_CHANGED = "EASYCRM:OUTBOX-CHANGED";

export const ROLES = ["to", "cc", "bcc"];

/** @typedef {{name: string, address: string, partner_id: number|false, problem?: string, seen?: number}} Person */

export class ComposeModel {
    /**
     * @param {Object} orm
     * @param {Object} context what the window is opened from, see `easycrm.email.compose.default_get`
     */
    constructor(orm, context) {
        this.orm = orm;
        this.context = context;
        this.mutex = new Mutex();
        /** @type {"loading"|"ready"|"failed"} */
        this.status = "loading";
        this.error = "";
        /** What it is written from; none as long as the server has said nothing. */
        this.records = [];
        /** Why it was not sent. */
        this.problem = "";
        this.isSending = false;
        /** @type {"saved"|"changed"|"saving"|"failed"} */
        this.draft = "saved";
        this.savedAt = false;
        /** Counts what the server has put into the text, for the editor to begin anew. */
        this.textVersion = 0;
        /** @type {string[]} values that are missing in the text and in the subject */
        this.missing = [];
        this.attachments = new Attachments(this);
        this.typed = new TypedPeople(this);
        /** Each of the records gets an email of its own. */
        this.isMany = false;
        /** Given by the editor: its content as it is written, and as it is sent. */
        this.editor = null;
    }

    /** Takes somebody out of a selection. */
    removeRecord(record) {
        this.records = this.records.filter((one) => one !== record);
        this.change();
    }

    async load() {
        this.status = "loading";
        try {
            this.takeWindow(
                await this.orm.silent.call(MODEL, "easycrm_open", [], {
                    context: this.context,
                })
            );
            this.status = "ready";
            this.attachments.takeForwarded();
        } catch (error) {
            this.status = "failed";
            this.error = wordsOf(error);
        }
    }

    takeWindow(window, savedFiles = this.attachments.files) {
        Object.assign(this, {
            id: window.id,
            outgoingId: window.outgoing_id,
            savedAt: window.saved_at,
            records: window.records,
            isMany: window.many,
            from: window.from,
            accountId: window.account_id,
            fromAddress: window.from_address,
            recipients: window.recipients,
            subject: window.subject,
            body: window.body,
            quote: window.quote,
            quoteKept: true,
            replyKind: window.reply_kind,
            template: window.template,
            trackOpens: window.track_opens,
            bodyLocked: window.body_locked,
        });
        this.attachments.takeOver(window, savedFiles);
        // (the editor begins anew with this text)
        this.editor = null;
        this.textVersion++;
        this.findMissing(this.body);
    }

    /** The same as the server hands over, with what it could not be told. */
    asWindow() {
        return {
            ...this.values(this.body),
            id: this.id,
            outgoing_id: this.outgoingId,
            saved_at: this.savedAt,
            records: this.records,
            many: this.isMany,
            from: this.from,
            recipients: this.recipients,
            quote: this.quote,
            reply_kind: this.replyKind,
            files: this.attachments.files,
            forwarded: this.attachments.fetching,
            documents: this.attachments.documents,
            template: this.template,
            body_locked: this.bodyLocked,
            is_unsaved: true,
        };
    }

    // --- from whom, to whom ---

    /** The mailbox and address that is chosen, with what it can take. */
    get sender() {
        return this.from.find(
            (option) =>
                option.account_id === this.accountId &&
                option.address === this.fromAddress
        );
    }

    get hasMailbox() {
        return this.from.length > 0;
    }

    chooseFrom(option) {
        this.accountId = option.account_id;
        this.fromAddress = option.address;
        this.change();
    }

    /** @param {Person[]} people */
    addPeople(role, people) {
        const taken = new Set(
            ROLES.flatMap((one) => this.recipients[one]).map(({address}) =>
                address.toLowerCase()
            )
        );
        const fresh = people.filter(({address}) => !taken.has(address.toLowerCase()));
        if (fresh.length) {
            this.recipients[role] = [...this.recipients[role], ...fresh];
            this.change();
        }
    }

    removePerson(role, person) {
        this.recipients[role] = this.recipients[role].filter((one) => one !== person);
        this.change();
    }

    get hasRecipients() {
        return (
            (this.isMany && this.records.some(({address}) => address)) ||
            ROLES.some((role) => (this.recipients[role] || []).length)
        );
    }

    // --- what is written ---

    setSubject(subject) {
        this.subject = subject;
        this.findMissing();
        this.change();
    }

    /** The editor's text has changed. */
    onText() {
        this.findMissing();
        this.change();
    }

    /** @param {string} [body] as HTML, where there is no editor yet */
    findMissing(body) {
        // (without a template, braces are what somebody wrote)
        const braces = this.template ? (this.subject || "").matchAll(BRACES) : [];
        const labels = [...braces].map(([, label]) => label.trim());
        let marks = [];
        if (this.editor) {
            marks = this.editor.getMissing();
        } else if (body) {
            const root = new DOMParser().parseFromString(body, "text/html");
            marks = [...root.querySelectorAll(".o_easycrm_missing")];
        }
        labels.push(...marks.map((mark) => mark.dataset.label || mark.textContent));
        // (several get the template, which has no values yet)
        this.missing = this.isMany ? [] : [...new Set(labels)];
    }

    // --- how large it is ---

    /** The files as they are here, and the text counted likewise. */
    get size() {
        const text = ((this.body || "").length + (this.quote || "").length) / ENCODED;
        return this.attachments.size + Math.round(text);
    }

    /** How large it may be, counted in the same way. */
    get limit() {
        return Math.floor((this.sender?.limit_bytes || 0) / ENCODED);
    }

    get isTooLarge() {
        return Boolean(this.limit) && this.size > this.limit;
    }

    // --- templates ---

    getTemplates() {
        return this.callOwn("easycrm_get_templates");
    }

    async useTemplate(template) {
        await this.save();
        const {files} = this.attachments;
        await this.callOwn("easycrm_use_template", [template.id], (window) =>
            this.takeWindow(window, files)
        );
        this.change();
    }

    async saveTemplate(name) {
        this.template = await this.callOwn("easycrm_save_template", [
            name,
            this.values(this.editor.getContent()),
        ]);
    }

    // --- the draft ---

    /**
     * One call at a time: all of them write the same record. What stands here is read (`args` as a function) when its
     * turn has come, and what is answered is taken (`take`) before the next.
     */
    callOwn(method, args = [], take = (answer) => answer) {
        return this.mutex.exec(async () => {
            const given = typeof args === "function" ? args() : args;
            return take(
                await this.orm.silent.call(MODEL, method, [[this.id], ...given])
            );
        });
    }

    values(body) {
        const {recipients} = this;
        const strip = ({name, address, partner_id}) => ({name, address, partner_id});
        return {
            account_id: this.accountId,
            from_address: this.fromAddress,
            recipients: Object.fromEntries(
                ROLES.map((role) => [role, (recipients[role] || []).map(strip)])
            ),
            subject: this.subject,
            body,
            quoted_kept: this.quoteKept,
            attachment_ids: this.attachments.files.map(({id}) => id),
            track_opens: this.trackOpens,
            ...(this.isMany && {res_ids: this.records.map(({id}) => id)}),
        };
    }

    /** Something was written: it is saved once there is a pause. */
    change() {
        this.draft = "changed";
        this.problem = "";
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => this.save(), SAVE_DELAY);
    }

    /** Keeps what was written; resolves when it is kept. */
    async save() {
        browser.clearTimeout(this.timer);
        if (this.typed.isReading) {
            await this.typed.settle();
            return this.save();
        }
        if (this.isDone || this.draft === "saved" || this.status !== "ready") {
            return this.saving;
        }
        if (this.saving) {
            await this.saving;
            return this.save();
        }
        this.draft = "saving";
        this.body = this.editor ? this.editor.getContent() : this.body;
        this.saving = this.write();
        await this.saving;
        this.saving = undefined;
    }

    async write() {
        try {
            const {outgoing_id, saved_at} = await this.callOwn("easycrm_save", () => [
                this.values(this.body),
            ]);
            this.outgoingId = outgoing_id;
            this.savedAt = saved_at;
            if (this.draft === "saving") {
                this.draft = "saved";
            }
        } catch (error) {
            this.draft = "failed";
            this.problem = wordsOf(error);
        }
    }

    // --- sending ---

    /** Why it cannot be sent yet; empty when it can. */
    get blocked() {
        if (!this.hasMailbox) {
            return _t("Connect a mailbox first.");
        }
        if (!this.sender || this.sender.why_not) {
            return this.sender?.why_not || _t("Choose who it is from.");
        }
        if (!this.hasRecipients) {
            return _t("Add somebody who is to get it.");
        }
        if (this.attachments.isUploading) {
            return _t("A file is still being uploaded.");
        }
        if (this.missing.length) {
            return _t("Values are missing. They are not sent as blanks.");
        }
        return this.isTooLarge ? _t("It is too large.") : "";
    }

    /**
     * @param {string|false} scheduledAt UTC
     * @returns {Promise<Object|false>} what was queued, see `easycrm_send`; false where it was not
     */
    async send(scheduledAt = false) {
        if (this.isSending) {
            return false;
        }
        this.isSending = true;
        try {
            await this.typed.takeAll();
            if (this.blocked) {
                this.problem = this.blocked;
                return false;
            }
            browser.clearTimeout(this.timer);
            await this.saving;
            this.body = await this.editor.getMailContent();
            const queued = await this.callOwn("easycrm_send", () => [
                this.values(this.body),
                scheduledAt,
            ]);
            this.isDone = true;
            return queued;
        } catch (error) {
            this.problem = wordsOf(error);
            return false;
        } finally {
            this.isSending = false;
        }
    }

    async discard() {
        browser.clearTimeout(this.timer);
        this.isDone = true;
        await this.saving;
        this.attachments.abortUploads();
        await this.callOwn("easycrm_discard");
    }
}
