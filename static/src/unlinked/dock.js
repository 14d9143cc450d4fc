import {Component, useState} from "@odoo/owl";

import {useAutofocus} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {SearchBox} from "../search/search_box";
import {Question} from "./question";
import {RecordCard} from "./record_card";
import {linkTitle, mailsWords, subjectOf} from "./unlinked_words";

/** Milliseconds after the last letter. */
const FIND_DELAY = 200;

/** Where mail is linked to: a search over all records, what is suggested, what is new. */
export class Dock extends Component {
    static template = "easycrm_mail.UnlinkedDock";
    static components = {Question, RecordCard, SearchBox};
    static props = {
        list: Object,
        steps: Object,
        suggestions: Object,
        drag: Object,
        isSheet: {type: Boolean, optional: true},
        onLink: Function,
        onNew: Function,
        onLeave: Function,
    };

    setup() {
        this.list = useState(this.props.list);
        this.steps = useState(this.props.steps);
        this.suggestions = useState(this.props.suggestions);
        this.drag = useState(this.props.drag);
        this.find = useDebounced(() => this.suggestions.find(), FIND_DELAY);
        if (this.props.isSheet) {
            useAutofocus({refName: "sheet"});
        }
    }

    get target() {
        return this.drag.target || this.list.target;
    }

    get count() {
        return this.target?.count || 0;
    }

    /** In a sheet from below, the question has the room for itself. */
    get asksOnly() {
        return Boolean(this.props.isSheet && this.steps.question);
    }

    get title() {
        return linkTitle(this.count);
    }

    get mailsWords() {
        return mailsWords(this.count);
    }

    /** Which mail it is suggested for, where that is not plain to see. */
    get suggestedFor() {
        const row = this.target?.row;
        return row && this.steps.question ? subjectOf(row) : "";
    }

    get isFinding() {
        return Boolean(this.suggestions.words.trim());
    }

    get activeId() {
        return (
            this.suggestions.activeCard && `o_easycrm_found_${this.suggestions.active}`
        );
    }

    get newCards() {
        const {preview} = this.suggestions;
        const row = this.target?.row;
        const lines = preview ? [preview.name, preview.company, preview.phone] : [];
        const leadLines = preview
            ? [row && subjectOf(row), preview.name, preview.email]
            : [];
        return [
            {model: "res.partner", hotkey: "n", icon: "fa-user-plus", lines},
            {model: "crm.lead", hotkey: "d", icon: "fa-star-half-o", lines: leadLines},
        ].map((card) => ({...card, lines: card.lines.filter(Boolean).slice(0, 3)}));
    }

    isOver(key) {
        return this.drag.over === key;
    }

    overCard({model, id}) {
        return this.isOver(`${model},${id}`);
    }

    /** What is found stands below the box, and arrows choose among it. */
    get inputAttrs() {
        return {
            role: "combobox",
            "aria-autocomplete": "list",
            "aria-controls": "o_easycrm_found",
            "aria-expanded": this.isFinding ? "true" : "false",
            "aria-activedescendant": this.activeId,
        };
    }

    onInput(words) {
        this.suggestions.setWords(words);
        this.find();
    }

    clear() {
        this.find.cancel();
        this.suggestions.setWords("");
    }

    /** Arrows choose, Enter links, Esc leads back to the list. */
    onKeydown(ev) {
        switch (ev.key) {
            case "ArrowDown":
                this.suggestions.moveActive(1);
                break;
            case "ArrowUp":
                this.suggestions.moveActive(-1);
                break;
            case "Enter":
                if (ev.isComposing || !this.suggestions.activeCard) {
                    return;
                }
                this.props.onLink(this.suggestions.activeCard);
                break;
            case "Escape":
                if (this.suggestions.words) {
                    this.clear();
                } else {
                    this.props.onLeave();
                }
                break;
            default:
                return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }
}
