import {Component} from "@odoo/owl";

import {Dialog} from "@web/core/dialog/dialog";
import {_t} from "@web/core/l10n/translation";

const KEYS = [
    {keys: ["j", "k"], words: _t("next, previous")},
    {keys: ["→", "←"], words: _t("open, fold a sender")},
    {keys: ["x"], words: _t("select, or all of a sender")},
    {keys: ["Shift j", "Shift k"], words: _t("select several")},
    {keys: ["l"], words: _t("link: type a name, ↑ ↓ choose, Enter links")},
    {keys: ["n"], words: _t("new contact from this mail")},
    {keys: ["d"], words: _t("new lead from this mail")},
    {keys: ["r", "a", "f"], words: _t("reply, reply to all, forward")},
    {keys: ["i"], words: _t("ignore; among the ignored: bring back")},
    {keys: ["z"], words: _t("undo the last step")},
    {keys: ["Esc"], words: _t("back, let the selection go")},
    {keys: ["h"], words: _t("these keys")},
];

/** All keys of the screen. */
export class KeysDialog extends Component {
    static template = "easycrm_mail.KeysDialog";
    static components = {Dialog};
    static props = {close: Function};

    setup() {
        this.keys = KEYS;
    }

    get title() {
        return _t("Keys");
    }
}
