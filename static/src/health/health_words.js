/** How the state of a mailbox is said and shown. Everything here is pure; times are milliseconds. */

import {_t} from "@web/core/l10n/translation";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** sync_health -> the icon and the colour of its badge; all but the icon is said by the selection's words. */
export const LOOKS = {
    ok: {icon: "fa-check", tone: "success"},
    incomplete: {icon: "fa-adjust", tone: "warning"},
    error: {icon: "fa-exclamation-triangle", tone: "danger"},
    reading: {icon: "fa-download", tone: "info"},
    waiting: {icon: "fa-hourglass-half", tone: "info"},
    paused: {icon: "fa-pause", tone: "secondary"},
    stopped: {icon: "fa-stop", tone: "secondary"},
    off: {icon: "fa-power-off", tone: "secondary"},
    draft: {icon: "fa-circle-o", tone: "secondary"},
};

/** "2 min", "5 h 12 min", "1 d 2 h", "12 d". */
export function lagWords(lag) {
    if (lag < MINUTE) {
        return _t("now");
    }
    const [days, hours, minutes] = [
        lag / DAY,
        (lag % DAY) / HOUR,
        (lag % HOUR) / MINUTE,
    ].map(Math.floor);
    if (!days && !hours) {
        return _t("%s min", minutes);
    }
    if (!days) {
        return minutes
            ? _t("%(hours)s h %(minutes)s min", {hours, minutes})
            : _t("%s h", hours);
    }
    return hours && days < 3
        ? _t("%(days)s d %(hours)s h", {days, hours})
        : _t("%s d", days);
}

/**
 * @param {number} lag
 * @param {number} lateMinutes 0: it is never late
 */
export function isLate(lag, lateMinutes) {
    return Boolean(lateMinutes) && lag > lateMinutes * MINUTE;
}

/**
 * @param {import("luxon").DateTime} moment
 * @param {import("luxon").DateTime} now
 * @returns {string} the time, with the weekday within a week, else the date
 */
export function momentWords(moment, now) {
    const time = luxon.DateTime.TIME_SIMPLE;
    if (moment.hasSame(now, "day")) {
        return moment.toLocaleString(time);
    }
    if (now.diff(moment, "days").days < 6) {
        return moment.toLocaleString({weekday: "short", ...time});
    }
    return dayWords(moment);
}

/** "30 Nov". */
export function dayWords(moment) {
    return moment.toLocaleString({day: "numeric", month: "short"});
}

/**
 * @param {{day: string, count: number}[]} days
 * @returns {{day: string, count: number, height: number}[]} heights in percent of the highest; any mail at all shows
 */
export function barsOf(days) {
    const highest = Math.max(1, ...days.map(({count}) => count));
    return days.map((one) => ({
        ...one,
        height: one.count ? Math.max(8, Math.round((100 * one.count) / highest)) : 0,
    }));
}
