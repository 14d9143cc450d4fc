import { Component, useState } from "@odoo/owl";

import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const ACCOUNT = "easycrm.email.account";

/** A mailbox that does not sync: to its owner with what to do, to colleagues as a piece of news. */
export class TimelineNotice extends Component {
    static template = "easycrm_mail.TimelineNotice";
    static props = { notice: Object, onChanged: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.state = useState({ busy: false });
    }

    /** The next step first; the other way stays open. */
    get buttons() {
        const reconnect = {
            key: "reconnect",
            name: _t("Reconnect"),
            onClick: () => this.reconnect(),
        };
        const retry = { key: "retry", name: _t("Try again"), onClick: () => this.retry() };
        return this.props.notice.primary === "reconnect" ? [reconnect, retry] : [retry, reconnect];
    }

    /** The reason around the mailbox's address, which stands out. */
    get reasonParts() {
        const { reason, email } = this.props.notice;
        return email ? reason.split(email) : [reason];
    }

    call(method) {
        return this.orm.call(ACCOUNT, method, [[this.props.notice.account_id]]);
    }

    async run(task) {
        this.state.busy = true;
        try {
            await task();
        } finally {
            this.state.busy = false;
        }
    }

    reconnect() {
        return this.run(async () => {
            const action = await this.call("action_reconnect");
            if (action) {
                await this.action.doAction(action, { onClose: () => this.props.onChanged() });
            }
        });
    }

    retry() {
        return this.run(async () => {
            await this.call("action_sync_now");
            this.notification.add(_t("Trying again now. What was missing comes in by itself."), {
                type: "info",
            });
            await this.props.onChanged();
        });
    }
}
