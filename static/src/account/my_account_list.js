import {useService} from "@web/core/utils/hooks";
import {registry} from "@web/core/registry";
import {ActionHelper} from "@web/views/action_helper";
import {ListController} from "@web/views/list/list_controller";
import {ListRenderer} from "@web/views/list/list_renderer";
import {listView} from "@web/views/list/list_view";
import {ConnectWays} from "./connect_ways";

/** Where one has no mailbox yet: what the list is for, and the ways in. */
export class NoAccount extends ActionHelper {
    static template = "easycrm_mail.NoAccount";
    static components = {ConnectWays};
}

export class MyAccountListRenderer extends ListRenderer {
    static components = {...ListRenderer.components, ActionHelper: NoAccount};
}

/** One's own mailboxes: a new one is connected in its window. */
export class MyAccountListController extends ListController {
    setup() {
        super.setup();
        this.connect = useService("easycrm_mail.connect");
    }

    async createRecord() {
        this.connect.open();
    }
}

registry.category("views").add("easycrm_my_account_list", {
    ...listView,
    Controller: MyAccountListController,
    Renderer: MyAccountListRenderer,
});
