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

/** "09:34", with its day where that is another one. */
export function timeWords(value) {
    const at = deserializeDateTime(value);
    return at.hasSame(DateTime.now(), "day")
        ? at.toFormat("HH:mm")
        : at.toLocaleString({
              day: "numeric",
              month: "short",
              hour: "2-digit",
              minute: "2-digit",
              hourCycle: "h23",
          });
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
    const at = timeWords(paused.at);
    if (paused.is_me) {
        return _t("%(done)s of %(total)s, paused by you at %(at)s", {...numbers, at});
    }
    if (paused.by) {
        const by = paused.by;
        return _t("%(done)s of %(total)s, paused by %(by)s at %(at)s", {
            ...numbers,
            by,
            at,
        });
    }
    return _t("%(done)s of %(total)s, stopped at %(at)s", {...numbers, at});
}

/** "12 of 50 batches handed over, none in doubt". */
export function batchWords({batches, batches_done: done, doubt}) {
    const numbers = {done: formatInteger(done), batches: formatInteger(batches)};
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
