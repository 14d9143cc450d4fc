import {Component} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {ConnectWays} from "./connect_ways";

/** Where a mailbox is missing: how to connect one, or to go on with the one that was left before it was started. */
export class ConnectInvite extends Component {
    static template = "easycrm_mail.ConnectInvite";
    static components = {ConnectWays};
    static props = {
        /** What comes of it. */
        words: String,
        left: {type: [Object, {value: false}], optional: true},
    };

    setup() {
        this.connect = useService("easycrm_mail.connect");
    }
}
