import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {RadioField, radioField} from "@web/views/fields/radio/radio_field";

/** What colleagues see, from most to least; what is beyond the administrator's limit is shown, and cannot be chosen. */
export class ShareLevelField extends RadioField {
    static template = "easycrm_mail.ShareLevelField";
    static props = {...RadioField.props, limitField: String};

    get beyondLimitWords() {
        return _t("More than your administrator lets mailboxes share.");
    }

    isBeyondLimit(level) {
        const levels = this.items.map(([name]) => name);
        const limit = this.props.record.data[this.props.limitField];
        return levels.indexOf(level) < levels.indexOf(limit);
    }
}

export const shareLevelField = {
    ...radioField,
    additionalClasses: ["o_field_radio"],
    component: ShareLevelField,
    displayName: _t("Share level"),
    supportedTypes: ["selection"],
    supportedOptions: [
        ...radioField.supportedOptions,
        {
            label: _t("Field with the limit"),
            name: "limit_field",
            type: "field",
            availableTypes: ["selection"],
        },
    ],
    extractProps: (info, dynamicInfo) => ({
        ...radioField.extractProps(info, dynamicInfo),
        limitField: info.options.limit_field,
    }),
};

registry.category("fields").add("easycrm_share_level", shareLevelField);
