import {Component, useRef, useState} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {useDropdownState} from "@web/core/dropdown/dropdown_hooks";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {wordsOf} from "./compose_words";

/** The templates of this kind of record, and what is written saved as one. */
export class TemplateMenu extends Component {
    static template = "easycrm_mail.TemplateMenu";
    static components = {Dropdown, DropdownItem};
    static props = {model: Object};

    setup() {
        this.name = useRef("name");
        this.menu = useDropdownState();
        this.state = useState({
            /** @type {{id: number, name: string, mine: boolean}[]} */
            templates: [],
            /** @type {"loading"|"ready"|"failed"} */
            status: "loading",
            search: "",
            isNaming: false,
            error: "",
        });
    }

    async load() {
        Object.assign(this.state, {search: "", isNaming: false, error: ""});
        try {
            this.state.templates = await this.props.model.getTemplates();
            this.state.status = "ready";
        } catch {
            this.state.status = "failed";
        }
    }

    get found() {
        const search = this.state.search.trim().toLowerCase();
        return this.state.templates.filter(({name}) =>
            name.toLowerCase().includes(search)
        );
    }

    async use(template) {
        try {
            await this.props.model.useTemplate(template);
        } catch (error) {
            this.props.model.problem = wordsOf(error);
        }
    }

    onNameKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            this.save();
        }
    }

    async save() {
        try {
            await this.props.model.saveTemplate(this.name.el.value);
            this.menu.close();
        } catch (error) {
            this.state.error = wordsOf(error);
        }
    }
}
