import {Component} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {domainOf} from "./unlinked_words";

/** What is not worth keeping here: a mail, what a sender writes, what comes from a domain. */
export class IgnoreMenu extends Component {
    static template = "easycrm_mail.IgnoreMenu";
    static components = {Dropdown, DropdownItem};
    static props = {
        target: Object,
        list: Object,
        onIgnore: Function,
    };

    get choices() {
        const {target, list} = this.props;
        const {count, row} = target;
        const address = target.address || row?.from_address || "";
        const domain = target.domain || domainOf(address);
        const group = list.isBySender && list.groups.find(({key}) => key === address);
        const choices = [
            {
                ...{scope: "these", icon: "fa-envelope-o", count: formatInteger(count)},
                name: count === 1 ? _t("This mail") : _t("These mails"),
            },
        ];
        if (address) {
            choices.push({
                ...{scope: "address", icon: "fa-user-o", detail: address},
                name: _t("This sender, from now on"),
                count: group ? formatInteger(group.count) : "",
            });
        }
        if (domain) {
            choices.push({
                ...{scope: "domain", icon: "fa-at", detail: `@${domain}`, count: ""},
                name: _t("This domain, from now on"),
            });
        }
        return choices;
    }
}
