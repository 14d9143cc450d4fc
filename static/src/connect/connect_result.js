import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {ConnectChart} from "./connect_chart";
import {iconOf} from "./connect_mailbox";
import {
    ALL_SINCE,
    contactsWords,
    progressWords,
    recordsWords,
    resultWords,
    secondsLeftWords,
} from "./connect_words";

/** Senders that are named of what looks private. */
const MAX_SENDERS = 12;

/** What the look has found so far: how far it is, the sentence, the bars and the numbers. */
export class ConnectResult extends Component {
    static template = "easycrm_mail.ConnectResult";
    static components = {ConnectChart};
    static props = {
        look: Object,
        choices: Object,
        account: Object,
        service: String,
        onSignIn: Function,
        onRetry: Function,
    };

    setup() {
        this.look = useState(this.props.look);
        this.choices = useState(this.props.choices);
        this.state = useState({showsPrivate: false});
    }

    get icon() {
        return iconOf(this.props.account.provider);
    }

    get counts() {
        const {version, status} = this.look;
        const {folders, since, ignoreAutomatic, ignorePrivate} = this.choices;
        const key = [
            version,
            status,
            since,
            ignoreAutomatic,
            ignorePrivate,
            ...folders,
        ].join("\n");
        if (key !== this.countsKey) {
            this.countsKey = key;
            this.lastCounts = this.look.tally.count(this.choices);
        }
        return this.lastCounts;
    }

    get isDone() {
        return this.look.status === "done";
    }

    get progressWords() {
        const {done, total, status} = this.look;
        return progressWords({done, total, status});
    }

    get percent() {
        const {done, total} = this.look;
        return total ? Math.min(100, Math.round((100 * done) / total)) : 0;
    }

    get timeLeftWords() {
        const isCounting = this.look.status === "counting" && this.look.version;
        return isCounting ? secondsLeftWords(this.look.timeLeft.at(Date.now())) : "";
    }

    get barClass() {
        return {
            done: "bg-success",
            pause: "bg-warning",
            error: "bg-danger",
        }[this.look.status];
    }

    get resultWords() {
        const {since} = this.choices;
        return resultWords(this.counts, since, since <= ALL_SINCE);
    }

    get soFarWords() {
        const {match, contacts} = this.counts;
        return match
            ? _t(
                  "So far: %(match)s match %(contacts)s. The choices can be made now; counts follow.",
                  {match: formatInteger(match), contacts: contactsWords(contacts)}
              )
            : _t("The choices can be made now; counts follow.");
    }

    get pauseWords() {
        const values = {
            service: this.props.service || this.props.account.service,
            seconds: formatInteger(this.look.secondsToWait),
        };
        return this.look.secondsToWait === 1
            ? _t("%(service)s asks to wait 1 second.", values)
            : _t("%(service)s asks to wait %(seconds)s seconds.", values);
    }

    get senders() {
        return this.counts.senders.slice(0, MAX_SENDERS).map(([address, count]) => ({
            address,
            number: formatInteger(count),
        }));
    }

    get moreSendersWords() {
        const more = this.counts.senders.length - MAX_SENDERS;
        return more > 0 ? _t("and %s more senders", formatInteger(more)) : "";
    }

    get rows() {
        const {match, strangers, colleagues, automatic} = this.counts;
        const {never_link: unlinked, never_store: unstored} = this.counts;
        const isKept = this.choices.unlinked_keep !== "nothing";
        const waits = isKept
            ? _t("wait in Unlinked Emails, where only you see them")
            : _t("are not kept");
        const rows = [
            {
                kind: "match",
                count: match,
                title: _t("match %s", recordsWords(this.counts)),
                detail: _t("will stand on their timelines"),
            },
            {
                kind: "strangers",
                count: strangers,
                title: _t("from people not in the CRM"),
                detail: waits,
            },
            {
                kind: "colleagues",
                count: colleagues,
                title: _t("among colleagues"),
                detail: isKept ? _t("are not linked to anybody") : waits,
            },
        ];
        if (unlinked) {
            rows.push({
                kind: "never_link",
                count: unlinked,
                title: _t("kept off contacts by a rule"),
                detail: waits,
            });
        }
        if (this.counts.private) {
            rows.push({
                kind: "private",
                count: this.counts.private,
                title: _t("look private: bank, doctor, payslips"),
                detail: _t("left out, unless you say otherwise"),
            });
        }
        if (automatic) {
            rows.push({
                kind: "automatic",
                count: automatic,
                title: _t("newsletters and automatic mail"),
                detail: _t("left out, unless you say otherwise"),
            });
        }
        if (unstored) {
            rows.push({
                kind: "never_store",
                count: unstored,
                title: _t("never stored because of a rule"),
                detail: _t("left out: your rules and your administrator's say so"),
            });
        }
        return rows.map((row) => ({...row, number: formatInteger(row.count)}));
    }
}
