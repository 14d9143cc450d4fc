import {Component} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {WithSearch} from "@web/search/with_search/with_search";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {MODEL} from "./mail_items";
import {UnlinkedScreen} from "./unlinked_screen";
import {UnlinkedSearchModel} from "./unlinked_search_model";

/** Unlinked Emails: the inbox where stray mail finds its home. */
export class UnlinkedAction extends Component {
    static template = "easycrm_mail.UnlinkedAction";
    static components = {UnlinkedScreen, WithSearch};
    static props = {...standardActionServiceProps};
    static displayName = _t("Unlinked Emails");

    get searchProps() {
        const {action, globalState} = this.props;
        return {
            ...{resModel: MODEL, context: action.context || {}, globalState},
            SearchModel: UnlinkedSearchModel,
            searchViewId: action.params?.search_view_id || false,
            searchMenuTypes: ["filter", "groupBy", "favorite"],
            hideCustomGroupBy: true,
            loadIrFilters: true,
            activateFavorite: true,
            display: {controlPanel: {}},
        };
    }

    /** What was selected in a list of such mails. */
    get selection() {
        const {active_model: model, active_ids: ids} = this.props.action.context || {};
        return (model === MODEL && ids) || [];
    }
}

registry.category("actions").add("easycrm_mail.unlinked", UnlinkedAction);
