import {dayOrTime, fullTime} from "../timeline/timeline_words";

const {DateTime} = luxon;

/** Times in words, made once a day and not whenever a list is scrolled: that is most of what a row costs. */
export class TimeWords {
    constructor() {
        this.words = new Map();
        this.now = DateTime.local();
    }

    /** To be called before a list is drawn. */
    keepUp() {
        const now = DateTime.local();
        if (!now.hasSame(this.now, "day")) {
            this.words.clear();
        }
        this.now = now;
    }

    /**
     * @param {string} utc
     * @returns {{short: string, full: string}} for the row, and for its tooltip
     */
    get(utc) {
        if (!this.words.has(utc)) {
            this.words.set(utc, {short: dayOrTime(utc, this.now), full: fullTime(utc)});
        }
        return this.words.get(utc);
    }
}
