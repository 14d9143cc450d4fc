import {Component} from "@odoo/owl";

import {personName, recipientWords} from "./timeline_words";

/** Who → whom. */
export class EmailRoute extends Component {
    static template = "easycrm_mail.EmailRoute";
    static props = {email: Object};

    get from() {
        return personName(this.props.email.from);
    }

    get recipients() {
        return recipientWords(this.props.email);
    }
}
