import {Component, useRef} from "@odoo/owl";

/** A box to type what is looked for: with its sign, its key, and a cross that clears it. */
export class SearchBox extends Component {
    static template = "easycrm_mail.SearchBox";
    static props = {
        words: String,
        placeholder: String,
        label: String,
        onInput: Function,
        onKeydown: Function,
        onClear: Function,
        /** The letter that leads here. */
        hotkey: {type: String, optional: true},
        isBusy: {type: Boolean, optional: true},
        /** Further attributes of the input. */
        attrs: {type: Object, optional: true},
        className: {type: String, optional: true},
        inputClass: {type: String, optional: true},
    };
    static defaultProps = {attrs: {}, className: "", inputClass: ""};

    setup() {
        this.input = useRef("input");
    }

    clear() {
        this.props.onClear();
        this.input.el.focus();
    }
}
