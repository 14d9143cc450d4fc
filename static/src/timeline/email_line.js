import {Component} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {EmailRoute} from "./email_route";
import {directionOf, dayOrTime, fullTime, levelWords, longTime} from "./timeline_words";

/** A mail of an open conversation, folded to one line. */
export class EmailLine extends Component {
    static template = "easycrm_mail.EmailLine";
    static components = {EmailRoute};
    static props = {email: Object, onOpen: Function};

    setup() {
        this.ui = useService("ui");
    }

    get direction() {
        return directionOf(this.props.email);
    }

    get text() {
        return levelWords(this.props.email) || this.props.email.snippet || "";
    }

    get time() {
        const words = this.ui.isSmall ? dayOrTime : longTime;
        return words(this.props.email.date, luxon.DateTime.local());
    }

    get fullTime() {
        return fullTime(this.props.email.date);
    }
}
