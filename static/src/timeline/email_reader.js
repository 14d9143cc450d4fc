import {Component, onWillStart, onWillUpdateProps, useRef, useState} from "@odoo/owl";

import {useHotkey} from "@web/core/hotkeys/hotkey_hook";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {AttachmentChips} from "./attachment_chips";
import {BodyFrame} from "./body_frame";
import {Bounces} from "./bounces";
import {
    directionOf,
    fullTime,
    levelWords,
    longTime,
    openedWords,
    personHue,
    personInitial,
    personName,
    recipientRoles,
} from "./timeline_words";
import {WhyPanel} from "./why_panel";

/** How a mail can be answered, and the key that does it. */
const ANSWERS = [
    {kind: "reply", icon: "fa-reply", key: "r", word: _t("Reply")},
    {kind: "reply_all", icon: "fa-reply-all", key: "a", word: _t("Reply all")},
    {kind: "forward", icon: "fa-share", key: "f", word: _t("Forward")},
];

/** One mail in full: who, to whom, the body in its frame, attachments, and why it is here. */
export class EmailReader extends Component {
    static template = "easycrm_mail.EmailReader";
    static components = {AttachmentChips, BodyFrame, Bounces, WhyPanel};
    static props = {
        email: Object,
        // of the timeline that it stands on; without one it stands by itself
        store: {type: Object, optional: true},
        record: {type: Object, optional: true},
        onFold: {type: Function, optional: true},
        onVersion: {type: Function, optional: true},
    };

    setup() {
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.composer = useService("easycrm_mail.compose");
        this.root = useRef("root");
        this.personName = personName;
        this.whyToggle = useRef("whyToggle");
        this.state = useState({
            /** @type {"loading"|"ready"|"failed"} */
            status: "loading",
            body: null,
            remoteShown: false,
            /** Images that were asked for and could not be loaded. */
            missing: 0,
            quoteShown: false,
            why: false,
            /** @type {"idle"|"reading"} of a large mail */
            large: "idle",
            /** Why the body of a large mail could not be read. */
            largeError: "",
        });
        this.setupKeys();
        onWillStart(() => {
            this.loadBody();
        });
        onWillUpdateProps((next) => {
            const {level, large} = this.props.email;
            if (next.email.level !== level || next.email.large !== large) {
                this.loadBody(next.email);
            }
        });
    }

    /** Single keys answer the mail in which the focus is; of one that is open alone, from anywhere. */
    setupKeys() {
        const area = () => {
            const isFree = document.activeElement === document.body;
            const card = this.root.el.closest(".o_easycrm_conversation");
            if (!card) {
                return isFree
                    ? document.body
                    : this.root.el.closest(".o_action_manager") || this.root.el;
            }
            const cards = document.querySelectorAll(".o_easycrm_card");
            return isFree && cards.length === 1 ? document.body : card;
        };
        for (const {kind, key} of ANSWERS) {
            useHotkey(key, () => this.reply(kind), {
                area,
                isAvailable: () =>
                    this.canReply &&
                    this.isNearest &&
                    this.answers.some((answer) => answer.kind === kind),
            });
        }
    }

    /** Of several that are open, the one with the focus, else the newest. */
    get isNearest() {
        const {el} = this.root;
        const focused = document.activeElement?.closest(".o_easycrm_reader");
        const card = el.closest(".o_easycrm_card");
        const newest = card && [...card.querySelectorAll(".o_easycrm_reader")].at(-1);
        return (focused || newest || el) === el;
    }

    /** It can be answered by whoever may read it. */
    get canReply() {
        return this.props.email.level === "everything";
    }

    get answers() {
        return ANSWERS.filter(({kind}) => kind !== "reply_all" || this.hasOthers);
    }

    /** There is somebody else to answer. */
    get hasOthers() {
        const {from, to, cc} = this.props.email;
        return [from, ...to, ...cc].filter((person) => person && !person.me).length > 1;
    }

    reply(kind) {
        const {email, store} = this.props;
        return this.composer.open({
            easycrm_email_id: email.id,
            easycrm_reply_kind: kind,
            ...(store && {active_model: store.resModel, active_ids: [store.resId]}),
        });
    }

    get openedWords() {
        return openedWords(this.props.email);
    }

    get direction() {
        return directionOf(this.props.email);
    }

    get level() {
        return levelWords(this.props.email);
    }

    /** Its body is still in the mailbox. */
    get isLarge() {
        return this.props.email.large && !this.state.body;
    }

    get roles() {
        return recipientRoles(this.props.email);
    }

    /** To how many it was sent beyond those who are named. */
    get moreWords() {
        const count = this.props.email.more_people;
        return count ? _t("and %s more", count) : "";
    }

    get hue() {
        return personHue(this.props.email.from);
    }

    get initial() {
        return personInitial(this.props.email.from);
    }

    get time() {
        return longTime(this.props.email.date, luxon.DateTime.local());
    }

    get fullTime() {
        return fullTime(this.props.email.date);
    }

    get versions() {
        const {email, onVersion} = this.props;
        return (onVersion && email.versions) || [];
    }

    get versionWords() {
        return _t("%s versions", this.versions.length);
    }

    versionTitle(number) {
        return _t("Show version %s", number);
    }

    get remoteWords() {
        const {remote_count: count, remote_hosts: hosts} = this.state.body;
        if (hosts.length === 1) {
            return count === 1
                ? _t("1 image from %s", hosts[0])
                : _t("%(count)s images from %(host)s", {count, host: hosts[0]});
        }
        return _t("%(count)s images from %(hosts)s servers", {
            count,
            hosts: hosts.length,
        });
    }

    get missingWords() {
        const {missing, remoteShown} = this.state;
        if (!remoteShown || !missing) {
            return "";
        }
        return missing === 1
            ? _t("1 image could not be loaded.")
            : _t("%s images could not be loaded.", missing);
    }

    async loadBody(email = this.props.email) {
        if (email.level !== "everything") {
            this.state.body = null;
            this.state.status = "ready";
            return;
        }
        if (email.large) {
            this.state.status = "ready";
            // What is not kept is read again for its images.
            return this.state.body && this.state.remoteShown && this.readLarge();
        }
        this.state.status = this.state.body ? "ready" : "loading";
        try {
            const options = this.state.remoteShown ? {remote: true} : {};
            this.state.body = await this.orm.silent.call(
                "easycrm.email",
                "easycrm_body",
                [[email.id]],
                options
            );
            this.state.status = "ready";
        } catch {
            this.state.status = "failed";
        }
    }

    /** Has the server read a large mail's body from the mailbox, then shows it. */
    async readLarge() {
        const {email, store} = this.props;
        this.state.large = "reading";
        this.state.largeError = "";
        try {
            const options = this.state.remoteShown ? {remote: true} : {};
            const {
                email_id: id,
                body,
                error,
            } = await this.orm.silent.call(
                "easycrm.email",
                "easycrm_read_large",
                [[email.id]],
                options
            );
            this.state.largeError = error || "";
            if (body) {
                this.state.body = body;
            } else if (this.state.body) {
                this.state.remoteShown = false; // It is as it was.
            } else if (id) {
                // It may have turned out to be a mail that another mailbox held.
                const values = await this.orm.silent.call(
                    "easycrm.email",
                    "easycrm_values",
                    [[id]]
                );
                store?.opened[email.thread_id]?.expanded.add(id);
                Object.assign(email, values);
                await this.loadBody(email);
                store?.load();
            }
        } catch {
            this.state.largeError = _t("This email could not be loaded.");
        }
        this.state.large = "idle";
    }

    closeWhy() {
        this.state.why = false;
        this.whyToggle.el.focus();
    }

    showRemote() {
        this.state.remoteShown = true;
        return this.loadBody();
    }
}
