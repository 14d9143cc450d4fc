import {Component} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {campaignDetail, campaignMarks} from "./campaign_words";
import {EmailRoute} from "./email_route";
import {DIRECTIONS, fullTime, shortTime} from "./timeline_words";

/** A mailing that the record got as one of many: a row that says what became of it. */
export class CampaignRow extends Component {
    static template = "easycrm_mail.CampaignRow";
    static components = {EmailRoute};
    static props = {conversation: Object, isFresh: {type: Boolean, optional: true}};

    setup() {
        this.action = useService("action");
        this.direction = DIRECTIONS.campaign;
        this.id = `o_easycrm_conversation_${this.props.conversation.thread_id}`;
    }

    get mail() {
        return this.props.conversation.emails[0];
    }

    get mailingId() {
        return this.mail.campaign.mailing_id;
    }

    get time() {
        return shortTime(this.mail.date, luxon.DateTime.local());
    }

    get fullTime() {
        return fullTime(this.mail.date);
    }

    get marks() {
        return campaignMarks(this.mail.campaign);
    }

    get detail() {
        return campaignDetail(this.mail.campaign, luxon.DateTime.local());
    }

    openMailing() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "mailing.mailing",
            res_id: this.mailingId,
            views: [[false, "form"]],
        });
    }
}
