import {markRaw} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {TimeLeft} from "../sync/time_left";
import {Tally} from "./connect_tally";

const ACCOUNT = "easycrm.email.account";

/** Folders that nobody has chosen, of which the number of mails is asked for. */
const COUNTED_FOLDERS = 15;
/** A passing failure is tried again, so often and so many milliseconds later. */
const RETRIES = 2;
const RETRY_DELAY = 3000;
const SECOND = 1000;

/**
 * A look at a mailbox that stores nothing: asks for page after page of what is wanted, and for more when more is
 * wanted. To be made `reactive` by whoever shows it.
 *
 * `status` is one of `idle`, `counting`, `pause` (the service asks for it; it goes on by itself), `stopped` (by the
 * user), `error`, `done`.
 */
export class Look {
    status = "idle";
    error = "";
    errorKind = "";
    /** @type {{stream: string, name: string, role: string, default: boolean}[]} */
    folders = [];
    /** @type {Object<string, {since: string, total: number}>} what folders said that they have */
    totals = {};
    /** Grows with what was found: what was counted before is out of date then. */
    version = 0;
    secondsToWait = 0;

    /**
     * @param {Object} orm a service
     * @param {number} accountId
     * @param {import("./connect_tally").Choices} choices are read anew each time
     * @param {boolean} isOrdered folders give their mail strictly by date
     */
    constructor(orm, accountId, choices, isOrdered) {
        this.orm = markRaw(orm);
        this.accountId = accountId;
        this.choices = choices;
        this.isOrdered = isOrdered;
        this.tally = markRaw(new Tally());
        this.timeLeft = markRaw(new TimeLeft());
        /** @type {Object<string, string>} stream -> from which day on it has been looked at */
        this.seen = markRaw({});
        /** @type {Object<string, Object>} stream -> the look that is under way there */
        this.jobs = markRaw({});
        this.isRunning = false;
        this.retries = 0;
        this.timer = null;
        this.now = "";
    }

    /** Asks which folders there are. Gives false where that failed. */
    async open() {
        this.status = "counting";
        const answer = await this.call("connect_get_folders");
        if (!answer) {
            return false;
        }
        this.folders = answer.folders;
        this.now = answer.now;
        return true;
    }

    /** Goes on until all that is wanted has been looked at. */
    async run() {
        if (this.isRunning) {
            return;
        }
        this.isRunning = true;
        this.status = "counting";
        this.error = this.errorKind = "";
        try {
            while (this.status === "counting" && !this.isClosed) {
                const job = this.nextJob();
                if (!job) {
                    this.status = "done";
                } else if (job.size === 0) {
                    await this.countFolder(job);
                } else {
                    await this.lookAt(job);
                }
            }
        } finally {
            this.isRunning = false;
        }
    }

    /** Takes in that something else is wanted now. */
    update() {
        if (["done", "counting"].includes(this.status)) {
            return this.run();
        }
    }

    stop() {
        browser.clearTimeout(this.timer);
        this.status = "stopped";
    }

    close() {
        this.isClosed = true;
        browser.clearTimeout(this.timer);
    }

    /** Mails that are looked at, of those that are wanted. */
    get done() {
        return this.tally.count(this.choices).mails;
    }

    get total() {
        const {folders, since} = this.choices;
        let total = 0;
        for (const stream of folders) {
            total += this.countOf(stream, since) ?? 0;
        }
        return this.status === "done" ? this.done : Math.max(total, this.done);
    }

    /** How many mails a folder has, as far as that is known; null where it is not. */
    countOf(stream, since = this.choices.since) {
        if (this.isSeen(stream, since)) {
            return this.tally.countFolder(stream, since);
        }
        const told = this.totals[stream];
        return told?.since === since ? told.total : null;
    }

    isSeen(stream, since = this.choices.since) {
        return stream in this.seen && this.seen[stream] <= since;
    }

    /** The next thing to ask for: first how much there is, then the mails, then what the other folders have. */
    nextJob() {
        const {folders, since} = this.choices;
        const wanted = folders.filter((stream) => !this.isSeen(stream));
        const unknown = wanted.find((stream) => this.countOf(stream) === null);
        if (unknown !== undefined) {
            return {stream: unknown, since, size: 0};
        }
        if (wanted.length) {
            return this.jobOf(wanted[0], since);
        }
        const others = this.folders
            .slice(0, COUNTED_FOLDERS)
            .find(({stream}) => this.countOf(stream) === null);
        return others && {stream: others.stream, since, size: 0};
    }

    jobOf(stream, since) {
        const job = this.jobs[stream];
        if (job?.since !== since) {
            const until = this.seen[stream]
                ? `${this.seen[stream]} 00:00:00`
                : this.now;
            this.jobs[stream] = {stream, since, until, position: ""};
        }
        return this.jobs[stream];
    }

    async countFolder({stream, since}) {
        const page = await this.call("connect_look", stream, since, this.now, "", 0);
        if (page) {
            this.totals[stream] = {since, total: page.total};
        }
    }

    async lookAt(job) {
        const {stream, since, until, position} = job;
        const page = await this.call("connect_look", stream, since, until, position);
        if (!page) {
            return;
        }
        this.tally.add(stream, page.mails);
        job.position = page.position;
        if (!page.position) {
            this.seen[stream] = since;
            delete this.jobs[stream];
        } else if (this.isOrdered && page.mails.length) {
            this.noteReached(job, page.mails);
        }
        this.version++;
        this.timeLeft.add(this.done, this.total, Date.now());
        if (page.pause && page.position) {
            this.wait(page.pause);
        }
    }

    /** Whoever wants less than what was begun with may have it already. */
    noteReached(job, mails) {
        const reached = mails.at(-1)[1];
        const wanted = this.choices.since;
        if (reached < wanted && wanted > job.since) {
            this.seen[job.stream] = wanted;
            delete this.jobs[job.stream];
        }
    }

    /** What the server answers; nothing where that was a failure, which is dealt with. */
    async call(method, ...args) {
        let answer = null;
        try {
            answer = await this.orm.silent.call(ACCOUNT, method, [
                [this.accountId],
                ...args,
            ]);
        } catch (error) {
            this.fail(error.data?.message || error.message, "server");
            return null;
        }
        if (!answer.error) {
            this.retries = 0;
            return this.isClosed ? null : answer;
        }
        if (answer.wait) {
            this.wait(answer.wait);
        } else if (answer.kind === "retry" && this.retries < RETRIES) {
            this.retries++;
            await new Promise((resolve) => browser.setTimeout(resolve, RETRY_DELAY));
        } else {
            this.fail(answer.error, answer.kind);
        }
        return null;
    }

    fail(words, kind) {
        this.retries = 0;
        this.status = "error";
        this.error = words;
        this.errorKind = kind;
    }

    /** Waits as long as the service wants it, and goes on. */
    wait(seconds) {
        if (this.status !== "counting") {
            return;
        }
        this.status = "pause";
        const end = Date.now() + seconds * SECOND;
        const tick = () => {
            const left = end - Date.now();
            if (left > 0) {
                this.secondsToWait = Math.max(Math.round(left / SECOND), 1);
                this.timer = browser.setTimeout(tick, Math.min(left, SECOND));
            } else if (this.folders.length) {
                this.run();
            } else {
                this.onWaited?.();
            }
        };
        tick();
    }
}
