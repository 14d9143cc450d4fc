/**
 * How long a first reading still takes, from how fast the last minute was. What is told follows slowly, so that it
 * does not jump with each batch. Everything here is pure; times are milliseconds.
 */

import {_t} from "@web/core/l10n/translation";

/** The time that the speed is measured over, and the shortest that says anything. */
const MEASURED = 60_000;
const MEASURED_AT_LEAST = 5_000;
/** How fast what is told follows what is measured, by this time to about two thirds. */
const FOLLOWS_IN = 20_000;
/** Without news for this long, nothing is known. */
const EXPIRES = 90_000;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export class TimeLeft {
    /** @type {{done: number, now: number}[]} of the last minute, oldest first */
    samples = [];
    left = null;

    /** Takes in how far it is. */
    add(done, total, now) {
        const last = this.samples.at(-1);
        if (last && (done < last.done || now - last.now > EXPIRES)) {
            // Started anew, or stood still for long: what was measured says nothing any more.
            this.samples = [];
            this.left = null;
        }
        this.samples.push({done, now});
        while (this.samples.length > 2 && this.samples[1].now <= now - MEASURED) {
            this.samples.shift();
        }
        const [first] = this.samples;
        const span = now - first.now;
        const elapsed = last ? now - last.now : 0;
        if (span < MEASURED_AT_LEAST || done <= first.done) {
            return;
        }
        const measured = ((total - done) * span) / (done - first.done);
        if (this.left === null) {
            this.left = measured;
        } else {
            const share = 1 - Math.exp(-elapsed / FOLLOWS_IN);
            this.left =
                (1 - share) * Math.max(this.left - elapsed, 0) + share * measured;
        }
    }

    /** @returns {number|null} null when it is not known */
    at(now) {
        const last = this.samples.at(-1);
        if (this.left === null || now - last.now > EXPIRES) {
            return null;
        }
        return Math.max(this.left - (now - last.now), 0);
    }
}

/** "about 3 min left"; empty when it is not known. */
export function timeLeftWords(left) {
    if (left === null || left === undefined) {
        return "";
    }
    if (left < MINUTE) {
        return _t("less than a minute left");
    }
    if (left < 1.5 * HOUR) {
        return _t("about %s min left", Math.round(left / MINUTE));
    }
    return _t("about %s h left", Math.round(left / HOUR));
}

/** A sentence about progress, with the time left where it is known. */
export function withTimeLeft(words, timeLeft) {
    return timeLeft ? _t("%(words)s, %(timeLeft)s", {words, timeLeft}) : words;
}
