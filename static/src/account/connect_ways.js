import {Component} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {WAYS} from "../connect/connect_mailbox";

/** A button for each service: it opens the window in which a mailbox of it is connected. */
export class ConnectWays extends Component {
    static template = "easycrm_mail.ConnectWays";
    static props = {};

    setup() {
        this.connect = useService("easycrm_mail.connect");
        this.ways = WAYS;
    }
}
