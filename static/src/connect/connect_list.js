import {useService} from "@web/core/utils/hooks";
import {registry} from "@web/core/registry";
import {ListController} from "@web/views/list/list_controller";
import {listView} from "@web/views/list/list_view";

/** One's own mailboxes: a new one is connected in its window. */
export class AccountListController extends ListController {
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
    Controller: AccountListController,
});
