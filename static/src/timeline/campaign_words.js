/**
 * What became of a mailing, in words. Everything here is pure.
 *
 * @typedef {Object} Campaign
 * @property {number|false} mailing_id false: the reader may not open the mailing itself
 * @property {number} opens how often, by people
 * @property {string|false} opened_at
 * @property {string|false} last_opened_at
 * @property {string[]} links those that were clicked by people, the first of them
 * @property {number} more_links how many others
 * @property {boolean} replied
 * @property {boolean} bounced
 * @property {string|false} reason why it has come back
 * @property {boolean} complained
 * @property {boolean} unsubscribed
 * @property {string|false} unsubscribed_from
 */

import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {longTime} from "./timeline_words";

function openedWords(opens) {
    switch (opens) {
        case 1:
            return _t("opened");
        case 2:
            return _t("opened twice");
    }
    return _t("opened %s times", formatInteger(opens));
}

/** A link without a text is called by its address. */
function clickedWords(label) {
    return _t("clicked %s", label.replace(/^https?:\/\/(www\.)?/, ""));
}

function moreLinksWords(count) {
    return count === 1 ? _t("and 1 more link") : _t("and %s more links", count);
}

function unsubscribedWords(from) {
    return from ? _t("unsubscribed from %s", from) : _t("unsubscribed");
}

/**
 * What the recipient did, each with its icon and tone.
 *
 * @param {Campaign} campaign
 * @returns {{icon: string, tone: string, word: string}[]}
 */
export function campaignMarks(campaign) {
    const mark = (icon, tone, word) => ({icon: `fa ${icon}`, tone, word});
    return [
        campaign.bounced && mark("fa-exclamation", "danger", _t("Not delivered")),
        campaign.replied && mark("fa-reply", "success", _t("answered")),
        campaign.opens && mark("fa-eye", "success", openedWords(campaign.opens)),
        ...campaign.links.map((label) =>
            mark("fa-mouse-pointer", "info", clickedWords(label))
        ),
        campaign.more_links &&
            mark("fa-mouse-pointer", "info", moreLinksWords(campaign.more_links)),
        campaign.unsubscribed &&
            mark(
                "fa-bell-slash-o",
                "warning",
                unsubscribedWords(campaign.unsubscribed_from)
            ),
        campaign.complained && mark("fa-flag-o", "danger", _t("reported as spam")),
    ].filter(Boolean);
}

/** When it was opened; or, of what has come back, why. */
export function campaignDetail(campaign, now) {
    if (campaign.bounced) {
        return campaign.reason || "";
    }
    if (!campaign.opened_at) {
        return "";
    }
    const first = longTime(campaign.opened_at, now);
    if (campaign.opens < 2 || !campaign.last_opened_at) {
        return first;
    }
    const last = longTime(campaign.last_opened_at, now);
    return _t("First: %(first)s. Last: %(last)s.", {first, last});
}

/** "3 campaigns", where no emails are counted. */
export function campaignCountWords(count, capped = false) {
    if (capped) {
        return _t("%s+ campaigns", formatInteger(count));
    }
    return count === 1 ? _t("1 campaign") : _t("%s campaigns", formatInteger(count));
}
