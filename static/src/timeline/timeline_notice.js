import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

/** A mailbox that does not sync: to its owner with what to do, to colleagues as a piece of news. */
export class TimelineNotice extends Component {
    static template = "easycrm_mail.TimelineNotice";
    static props = {notice: Object, onChanged: Function};

    setup() {
        this.account = useService("easycrm_mail.account");
        this.retrying = useState(this.account.retrying);
    }

    get isRetrying() {
        return this.props.notice.account_id in this.retrying;
    }

    /** The next step first; the other way stays open. */
    get buttons() {
        const reconnect = {
            key: "reconnect",
            name: _t("Reconnect"),
            onClick: () => this.reconnect(),
        };
        const retry = {
            key: "retry",
            name: _t("Try again"),
            onClick: () => this.retry(),
        };
        return this.props.notice.primary === "reconnect"
            ? [reconnect, retry]
            : [retry, reconnect];
    }

    /** The reason around the mailbox's address, which stands out. */
    get reasonParts() {
        const {reason, email} = this.props.notice;
        return email ? reason.split(email) : [reason];
    }

    reconnect() {
        const {notice, onChanged} = this.props;
        return this.account.reconnect(notice.account_id, {onClose: onChanged});
    }

    retry() {
        return this.account.retry(this.props.notice.account_id);
    }
}
