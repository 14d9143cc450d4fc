import {Component} from "@odoo/owl";

import {KINDS, linkWords} from "./unlinked_words";

/** A record that mail can be linked to: by a drop, a click, or Enter. */
export class RecordCard extends Component {
    static template = "easycrm_mail.RecordCard";
    static props = {
        card: Object,
        count: Number,
        isOver: {type: Boolean, optional: true},
        isDimmed: {type: Boolean, optional: true},
        isLean: {type: Boolean, optional: true},
        isActive: {type: Boolean, optional: true},
        id: {type: String, optional: true},
        onLink: Function,
    };

    get kind() {
        return KINDS[this.props.card.kind];
    }

    get key() {
        const {model, id} = this.props.card;
        return `${model},${id}`;
    }

    get linkWords() {
        return linkWords(this.props.count, this.props.card.name);
    }

    get label() {
        const {card} = this.props;
        return [`${this.kind.word}: ${card.name}`, card.detail, ...card.reasons]
            .filter(Boolean)
            .join(", ");
    }
}
