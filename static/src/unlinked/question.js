import {Component, useEffect, useRef, useState} from "@odoo/owl";

import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {dayOrTime} from "../timeline/timeline_words";
import {MODEL} from "./mail_items";
import {
    KINDS,
    justLinkedWords,
    placeWords,
    placesWords,
    subjectOf,
} from "./unlinked_words";

/** Mails that “Look at them” lists. */
const LOOKED_AT = 20;

/** After a link: what should be linked from now on? It sits in the dock and never stands in the way. */
export class Question extends Component {
    static template = "easycrm_mail.UnlinkedQuestion";
    static props = {steps: Object};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.steps = useState(this.props.steps);
        this.root = useRef("root");
        this.subjectOf = subjectOf;
        // Another question has come: nobody has to look for it.
        useEffect(
            () => {
                this.root.el.scrollIntoView({block: "nearest"});
            },
            () => [this.question.batch]
        );
    }

    get question() {
        return this.steps.question;
    }

    get kind() {
        return KINDS[this.question.card.kind];
    }

    get options() {
        const {options, chosen} = this.question;
        return options.map((option) => ({
            ...option,
            isChosen: option.scope === chosen,
            places: option.count ? `+${formatInteger(option.count)}` : "0",
        }));
    }

    get chosen() {
        return this.options.find(({isChosen}) => isChosen);
    }

    get linkedWords() {
        return justLinkedWords(this.question.count);
    }

    get placeWords() {
        return placeWords(this.chosen.count);
    }

    get placesWords() {
        return placesWords(this.chosen.count);
    }

    get canLook() {
        return this.chosen.count > 0;
    }

    time(row) {
        return dayOrTime(row.date, luxon.DateTime.local());
    }

    choose(option) {
        if (!option.disabled) {
            this.question.chosen = option.scope;
            this.question.shown = null;
        }
    }

    async look() {
        const {question} = this;
        const {chosen} = question;
        const args = [question.batch, chosen, LOOKED_AT];
        const {rows} = await this.orm.call(MODEL, "find_others", args);
        if (question.chosen === chosen) {
            question.shown = rows;
        }
    }

    open() {
        const {model, id} = this.question.card;
        this.action.doAction({
            ...{type: "ir.actions.act_window", res_model: model, res_id: id},
            views: [[false, "form"]],
        });
    }

    leave() {
        this.steps.question = null;
    }

    onKeydown(ev) {
        if (ev.key === "Enter" && ev.target.type === "radio") {
            ev.preventDefault();
            this.steps.teach();
        }
    }
}
