import {Component, useRef, useState} from "@odoo/owl";

import {CheckBox} from "@web/core/checkbox/checkbox";
import {useDateTimePicker} from "@web/core/datetime/datetime_picker_hook";
import {_t} from "@web/core/l10n/translation";
import {formatInteger} from "@web/views/fields/formatters";
import {ALL_SINCE, dayWords} from "./connect_words";

const DAYS = [30, 90, 365];

const LEVELS = [
    {
        level: "everything",
        title: _t("Everything"),
        detail: _t("colleagues who may open the record can read the mail"),
    },
    {
        level: "subject",
        title: _t("Subject"),
        detail: _t("they see who, when and the subject"),
    },
    {
        level: "metadata",
        title: _t("Only who and when"),
        detail: _t("subject, text and attachments stay yours"),
    },
];

const KEEPS = [
    {keep: "full", title: _t("Keep it in full"), detail: ""},
    {
        keep: "headers",
        title: _t("Headers only"),
        detail: _t("the text is fetched when you open it"),
    },
    {
        keep: "nothing",
        title: _t("Keep nothing"),
        detail: _t("not found again for contacts that you add later"),
    },
];

function daysAgo(days) {
    return luxon.DateTime.utc().minus({days}).toISODate();
}

/** What is wanted of the mailbox; each choice counts at once. */
export class ConnectChoices extends Component {
    static template = "easycrm_mail.ConnectChoices";
    static components = {CheckBox};
    static props = {
        look: Object,
        choices: Object,
        levels: Array,
        /** The fields of the account that there are. */
        fields: Array,
        onChoose: Function,
    };

    setup() {
        this.look = useState(this.props.look);
        this.choices = useState(this.props.choices);
        this.allLevels = LEVELS;
        this.keeps = KEEPS;
        this.dateButton = useRef("date-button");
        const self = this;
        this.picker = useDateTimePicker({
            target: "date-button",
            // (it would make room by stretching the buttons)
            ensureVisibility: () => false,
            get pickerProps() {
                return {
                    type: "date",
                    value: self.isAll
                        ? luxon.DateTime.now()
                        : luxon.DateTime.fromISO(self.choices.since),
                    maxDate: luxon.DateTime.now(),
                };
            },
            onApply: (date) => date && this.props.onChoose({since: date.toISODate()}),
        });
    }

    get ranges() {
        return [
            ...DAYS.map((days) => ({
                since: daysAgo(days),
                title: _t("%s days", days),
            })),
            {since: ALL_SINCE, title: _t("All")},
        ];
    }

    get isAll() {
        return this.choices.since <= ALL_SINCE;
    }

    get isDate() {
        return this.ranges.every(({since}) => since !== this.choices.since);
    }

    get dateWords() {
        return this.isDate ? dayWords(this.choices.since) : _t("Since…");
    }

    countWords(stream) {
        const count = this.look.countOf(stream, this.choices.since);
        if (count === null) {
            return "";
        }
        return formatInteger(count);
    }

    toggleFolder(stream, isOn) {
        const others = this.choices.folders.filter((one) => one !== stream);
        this.props.onChoose({folders: isOn ? [...others, stream] : others});
    }

    isAllowed(level) {
        return this.props.levels.includes(level);
    }

    has(field) {
        return this.props.fields.includes(field);
    }
}
