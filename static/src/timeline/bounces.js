import {Component} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {wordsOf} from "../compose/compose_words";

/** Whom a sent email did not reach, why, and the way to try once more. */
export class Bounces extends Component {
    static template = "easycrm_mail.Bounces";
    static props = {email: Object};

    setup() {
        this.orm = useService("orm");
        this.composer = useService("easycrm_mail.compose");
        this.notification = useService("notification");
    }

    get bounces() {
        return this.props.email.bounces || [];
    }

    /** Whoever wrote it. */
    get canSendAgain() {
        return Boolean(this.props.email.from?.me);
    }

    words({address, reason}) {
        return _t("%(address)s: %(reason)s.", {address, reason});
    }

    kindWords({kind}) {
        return kind === "soft" ? _t("Their server goes on trying.") : "";
    }

    async sendAgain({id}) {
        try {
            const {outgoing_id} = await this.orm.silent.call(
                "easycrm.email.bounce",
                "action_send_again",
                [[id]]
            );
            this.composer.open({easycrm_outgoing_id: outgoing_id});
        } catch (error) {
            this.notification.add(wordsOf(error), {type: "warning"});
        }
    }
}
