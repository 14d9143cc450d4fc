/** How numbers and times of a campaign are said. Everything here is pure. */

import {_t} from "@web/core/l10n/translation";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {formatFloat, formatInteger} from "@web/views/fields/formatters";

const {DateTime} = luxon;

/** "27.0 %" of a base; empty where there is none. */
export function ratioWords(count, base) {
    if (!base) {
        return "";
    }
    return `${formatFloat((100 * count) / base, {digits: [16, 1]})}\u00a0%`;
}

/** "2 min left"; empty when it is not known. */
export function secondsLeftWords(seconds) {
    if (seconds === null || seconds === undefined) {
        return "";
    }
    if (seconds < 60) {
        return _t("less than a minute left");
    }
    if (seconds < 90 * 60) {
        return _t("%s min left", Math.round(seconds / 60));
    }
    return _t("about %s h left", Math.round(seconds / 3600));
}

/** "9:34 AM" or "09:34", as one reads the clock in the reader's language. */
export function clockWords(moment) {
    return moment.toLocaleString(DateTime.TIME_SIMPLE);
}

/** "at 09:34", with its day where that is another one. */
export function atWords(value) {
    const at = deserializeDateTime(value);
    const time = clockWords(at);
    if (at.hasSame(DateTime.now(), "day")) {
        return _t("at %s", time);
    }
    const day = at.toLocaleString({day: "numeric", month: "short"});
    return _t("on %(day)s at %(time)s", {day, time});
}

/** "12,000 of 50,000, 2 min left", or what holds it up. */
export function progressWords({done, total, seconds_left: seconds, paused, failing}) {
    const numbers = {done: formatInteger(done), total: formatInteger(total)};
    if (failing) {
        return failing.minutes === 1
            ? _t("%s has not answered for 1 minute", failing.esp)
            : _t("%(esp)s has not answered for %(minutes)s minutes", failing);
    }
    if (!paused) {
        const left = secondsLeftWords(seconds);
        return left
            ? _t("%(done)s of %(total)s, %(left)s", {...numbers, left})
            : _t("%(done)s of %(total)s", numbers);
    }
    const at = atWords(paused.at);
    if (paused.is_me) {
        return _t("%(done)s of %(total)s, paused by you %(at)s", {...numbers, at});
    }
    if (paused.by) {
        const by = paused.by;
        return _t("%(done)s of %(total)s, paused by %(by)s %(at)s", {
            ...numbers,
            by,
            at,
        });
    }
    return _t("%(done)s of %(total)s, stopped %(at)s", {...numbers, at});
}

/** "12 of 50 batches handed over, none in doubt". */
export function batchWords({
    batches,
    batches_done: done,
    doubt,
    is_writing: isWriting,
}) {
    const numbers = {done: formatInteger(done), batches: formatInteger(batches)};
    if (isWriting && !done) {
        return _t("being written");
    }
    if (isWriting && !doubt) {
        return done === 1
            ? _t("1 batch handed over, the rest is being written")
            : _t("%s batches handed over, the rest is being written", numbers.done);
    }
    if (!doubt) {
        return _t(
            "%(done)s of %(batches)s batches handed over, none in doubt",
            numbers
        );
    }
    return _t("%(done)s of %(batches)s batches handed over, %(doubt)s in doubt", {
        ...numbers,
        doubt,
    });
}

/** "402 blocklisted". */
export function countWords({count, label}) {
    return _t("%(count)s %(label)s", {count: formatInteger(count), label});
}

/** The distance of the lines behind a curve: at most five, at 1, 2 or 5 times a power of ten. */
export function niceStep(most) {
    const least = Math.max(most / 4, 1);
    const power = 10 ** Math.floor(Math.log10(least));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}
