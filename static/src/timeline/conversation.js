import {Component, useEffect, useRef, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {AttachmentChips} from "./attachment_chips";
import {Bounces} from "./bounces";
import {ConversationMenu} from "./conversation_menu";
import {EmailLine} from "./email_line";
import {EmailReader} from "./email_reader";
import {EmailRoute} from "./email_route";
import {useFocusNext} from "./focus_next";
import {PrivacyMenu} from "./privacy_menu";
import {conversationItems, peopleOf} from "./timeline_model";
import {
    directionOf,
    fullTime,
    levelWords,
    openedWords,
    peopleWords,
    privacyWords,
    shortTime,
    subjectWords,
} from "./timeline_words";

/** One conversation: a row, or, opened, a card in the same place. */
export class Conversation extends Component {
    static template = "easycrm_mail.Conversation";
    static components = {
        AttachmentChips,
        Bounces,
        ConversationMenu,
        EmailLine,
        EmailReader,
        EmailRoute,
        PrivacyMenu,
    };
    static props = {conversation: Object, store: Object, record: Object};

    setup() {
        this.ui = useService("ui");
        this.store = useState(this.props.store);
        this.root = useRef("root");
        this.focusNext = useFocusNext(this.root);
        this.id = `o_easycrm_conversation_${this.props.conversation.thread_id}`;
        let wasOpen = this.isOpen;
        useEffect(
            (isOpen) => {
                if (isOpen !== wasOpen) {
                    wasOpen = isOpen;
                    this.keepInSight();
                }
            },
            () => [this.isOpen]
        );
    }

    get threadId() {
        return this.props.conversation.thread_id;
    }

    get isOpen() {
        return this.store.isOpen(this.threadId);
    }

    get isOnLead() {
        return this.props.record.resModel === "crm.lead";
    }

    get opened() {
        return this.store.opened[this.threadId];
    }

    get newest() {
        return this.props.conversation.emails[0];
    }

    get isFresh() {
        return this.store.fresh.has(this.threadId);
    }

    get openedWords() {
        return openedWords(this.newest);
    }

    get direction() {
        return directionOf(this.newest);
    }

    get subject() {
        return this.newest.level === "metadata" ? "" : subjectWords(this.newest);
    }

    get level() {
        return levelWords(this.newest);
    }

    get time() {
        return shortTime(this.newest.date, luxon.DateTime.local());
    }

    get fullTime() {
        return fullTime(this.newest.date);
    }

    /** What is shared as always needs no mark where there is little room. */
    get privacy() {
        const {privacy} = this.props.conversation;
        return privacy === "shared" && this.ui.isSmall
            ? undefined
            : privacyWords(this.props.conversation);
    }

    get people() {
        const {conversation} = this.props;
        // (its emails go to the same people, mostly)
        const more = Math.max(...conversation.emails.map((one) => one.more_people));
        return peopleWords(peopleOf(conversation), more);
    }

    get countTitle() {
        return _t("%s emails", this.props.conversation.count);
    }

    get items() {
        const {expanded, unfolded} = this.opened;
        return conversationItems(this.props.conversation.emails, {
            expanded,
            unfolded,
            narrow: this.ui.isSmall,
        });
    }

    foldWords(hidden) {
        return this.ui.isSmall
            ? _t("%s earlier emails", hidden)
            : _t("%s emails between", hidden);
    }

    toggle() {
        if (this.isOpen) {
            this.store.close(this.threadId);
        } else {
            this.store.open(this.threadId);
        }
    }

    openEmail(email) {
        this.store.toggleEmail(this.threadId, email.id);
        const {id} = this.store.versionOf(email);
        this.focusNext(
            `.o_easycrm_reader[data-email-id="${id}"] .o_easycrm_fold_email`
        );
    }

    foldEmail(email) {
        this.store.toggleEmail(this.threadId, email.id);
        this.focusNext(
            `.o_easycrm_line[data-email-id="${email.id}"]`,
            ".o_easycrm_unfold"
        );
    }

    /** The first mail that it brings into sight stands where the fold stood. */
    unfold() {
        const index = this.items.findIndex(({type}) => type === "fold");
        this.store.unfold(this.threadId);
        const {id} = this.items[index].email;
        this.focusNext(`.o_easycrm_line[data-email-id="${id}"]`);
    }

    /** After opening or folding, the focus stays on this conversation and its head in the window. */
    keepInSight() {
        const active = document.activeElement;
        if (active !== document.body && !this.root.el.contains(active)) {
            return; // A search has folded it: who types goes on typing.
        }
        const toggle = this.root.el.querySelector(".o_easycrm_toggle");
        toggle.focus({preventScroll: true});
        if (!this.isOpen) {
            this.root.el.scrollIntoView({block: "nearest"});
        }
    }
}
