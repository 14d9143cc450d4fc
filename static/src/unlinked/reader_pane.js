import {Component, useEffect, useRef, useState} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {EmailReader} from "../timeline/email_reader";
import {IgnoreMenu} from "./ignore_menu";
import {mailsWords, subjectOf} from "./unlinked_words";

/** Milliseconds that one stays on a mail before it is fetched: who runs through the list asks for none. */
const READ_DELAY = 80;

/** The mail that the reader stands on, in the timeline's own reader. */
export class ReaderPane extends Component {
    static template = "easycrm_mail.ReaderPane";
    static components = {EmailReader, IgnoreMenu};
    static props = {
        list: Object,
        onLinkTo: Function,
        onIgnore: Function,
        onBringBack: Function,
        onBack: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.list = useState(this.props.list);
        this.root = useRef("root");
        /** The mail that is shown stays until the next is here. */
        this.state = useState({email: null, row: null, isFailed: false});
        useEffect(
            (emailId) => this.follow(emailId),
            () => [this.row?.email_id]
        );
    }

    get item() {
        return this.list.cursorItem;
    }

    get row() {
        return this.item?.type === "mail" ? this.item.row : undefined;
    }

    get group() {
        return this.item?.type === "group" ? this.item.group : undefined;
    }

    /** What its buttons are about: what is shown, whatever else is selected. */
    get target() {
        return this.list.targetOf(this.item);
    }

    get title() {
        return this.group ? this.group.label : subjectOf(this.state.row || this.row);
    }

    get groupWords() {
        return mailsWords(this.group.count);
    }

    get groupTitle() {
        return this.list.isBySender
            ? _t("All mail of this sender that waits here")
            : _t("All mail of this group that waits here");
    }

    follow(emailId) {
        if (!emailId) {
            return;
        }
        const delay = this.state.email ? READ_DELAY : 0;
        const timer = browser.setTimeout(() => this.load(), delay);
        return () => browser.clearTimeout(timer);
    }

    async load() {
        const {row} = this;
        if (!row) {
            return;
        }
        try {
            const email = await this.orm.silent.call(
                "easycrm.email",
                "easycrm_values",
                [[row.email_id]]
            );
            if (this.row?.id === row.id) {
                Object.assign(this.state, {email, row, isFailed: false});
                this.root.el?.querySelector(".o_easycrm_pane_scroll")?.scrollTo(0, 0);
            }
        } catch {
            if (this.row?.id === row.id) {
                Object.assign(this.state, {email: null, row, isFailed: true});
            }
        }
    }
}
