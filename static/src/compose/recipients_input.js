import {Component, onWillDestroy, useRef} from "@odoo/owl";

import {AutoComplete} from "@web/core/autocomplete/autocomplete";
import {useTagNavigation} from "@web/core/record_selectors/tag_navigation_hook";
import {useChildRef} from "@web/core/utils/hooks";
import {isEmail} from "@web/core/utils/strings";
import {_t} from "@web/core/l10n/translation";
import {SEPARATORS} from "./typed_people";

/** Who gets the email in one role, as tags; contacts and addresses seen come to mind while typing. */
export class RecipientsInput extends Component {
    static template = "easycrm_mail.RecipientsInput";
    static components = {AutoComplete};
    static props = {
        model: Object,
        role: String,
        autofocus: {type: Boolean, optional: true},
    };

    setup() {
        this.root = useRef("root");
        this.input = useChildRef();
        const {fields} = this.props.model.typed;
        const takeTyped = () => this.takeTyped();
        fields.add(takeTyped);
        onWillDestroy(() => fields.delete(takeTyped));
        useTagNavigation("root", {delete: (index) => this.removeAt(index)});
        this.sources = [
            {
                placeholder: _t("Looking…"),
                optionSlot: "option",
                options: (term) => this.getOptions(term),
            },
        ];
    }

    get people() {
        return this.props.model.recipients[this.props.role] || [];
    }

    get placeholder() {
        return this.people.length ? "" : _t("Name or address");
    }

    title({name, address, problem}) {
        const who = name ? `${name} <${address}>` : address;
        return problem
            ? _t("%(who)s: the last email came back, %(problem)s", {who, problem})
            : who;
    }

    isWrong({address}) {
        return !isEmail(address);
    }

    removeWords({name, address}) {
        return _t("Remove %s", name || address);
    }

    initial({name, address}) {
        return (name || address || "?")[0].toUpperCase();
    }

    removeAt(index) {
        const person = this.people[index];
        if (person) {
            this.props.model.removePerson(this.props.role, person);
        }
    }

    async getOptions(term) {
        if (!term) {
            return [];
        }
        const people = await this.props.model.typed.suggest(term).catch(() => []);
        const options = people.map((person) => ({
            label: person.name || person.address,
            data: person,
            onSelect: () => this.props.model.addPeople(this.props.role, [person]),
        }));
        const isKnown = people.some(({address}) => address === term.toLowerCase());
        if (isEmail(term) && !isKnown) {
            options.unshift({
                label: term,
                data: {name: "", address: term, isTyped: true},
                onSelect: () => this.take(term),
            });
        }
        return options;
    }

    seenWords({seen}) {
        return seen === 1
            ? _t("seen once, not a contact")
            : _t("seen %s times, not a contact", seen);
    }

    /** Text that was typed or pasted becomes tags. */
    take(text) {
        if (text.trim()) {
            this.props.model.typed.take(this.props.role, text);
        }
    }

    takeInput() {
        const {el} = this.input;
        const text = el.value;
        el.value = "";
        el.dispatchEvent(new InputEvent("input"));
        this.take(text);
    }

    /** What was typed and has not become a tag is not left out. */
    takeTyped() {
        if (this.input.el?.value.trim()) {
            this.takeInput();
        }
    }

    onBlur() {
        this.takeTyped();
    }

    onInput(ev) {
        this.typed = ev.target.value;
    }

    /** Odoo's list empties the field when it is open and something else is clicked. */
    onCancel() {
        this.input.el.value = this.typed;
    }

    onKeydown(ev) {
        if (
            ev.target === this.input.el &&
            (SEPARATORS.test(ev.key) || ev.key === "Enter") &&
            (isEmail(ev.target.value.trim()) || ev.key !== "Enter") &&
            ev.target.value.includes("@") &&
            !(ev.ctrlKey || ev.metaKey) &&
            !ev.isComposing
        ) {
            ev.preventDefault();
            ev.stopPropagation();
            this.takeInput();
        }
    }

    onPaste(ev) {
        const text = ev.clipboardData?.getData("text/plain") || "";
        if (
            text.includes("@") &&
            (SEPARATORS.test(text.trim()) || isEmail(text.trim()))
        ) {
            ev.preventDefault();
            this.take(text);
        }
    }
}
