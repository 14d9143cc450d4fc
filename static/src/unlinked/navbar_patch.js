import {useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {patch} from "@web/core/utils/patch";
import {formatInteger} from "@web/views/fields/formatters";
import {NavBar} from "@web/webclient/navbar/navbar";

const MENU = "easycrm_mail.menu_unlinked_emails";

/** The menu of unlinked emails tells how many wait; no component of its own, so that whoever extends the bar has it. */
patch(NavBar.prototype, {
    setup() {
        super.setup();
        const unlinked = useService("easycrm_mail.unlinked");
        this.easycrmUnlinked = useState(unlinked.state);
        if (this.menuService.getAll().some(({xmlid}) => xmlid === MENU)) {
            unlinked.watch();
        }
    },

    /** @returns {string} empty where there is nothing to tell */
    easycrmMenuBadge({xmlid}) {
        const {count} = this.easycrmUnlinked;
        return xmlid === MENU && count ? formatInteger(count) : "";
    },

    get easycrmMenuTitle() {
        const {count} = this.easycrmUnlinked;
        return count === 1 ? _t("1 email waits") : _t("%s emails wait", count);
    },
});
