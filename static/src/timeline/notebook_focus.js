/**
 * `<page easycrm_focus="expression"/>`: the page a notebook opens on for the records where the expression holds, in
 * place of the one that has the focus otherwise. Core knows only `autofocus="autofocus"`, for all records alike.
 *
 * It is asked once a record. Who has turned to a page of his own choice stays there while going through the records.
 */

import {patch} from "@web/core/utils/patch";
import {FormCompiler} from "@web/views/form/form_compiler";
import {FormRenderer} from "@web/views/form/form_renderer";
import {toStringExpression} from "@web/views/utils";

const FOCUS = "easycrm_focus";

patch(FormCompiler.prototype, {
    compileNotebook(el) {
        const index = this.noteBookId;
        const pages = [...el.children].filter((child) => child.tagName === "page");
        const notebook = super.compileNotebook(...arguments);
        const page = pages.find((child) => child.hasAttribute(FOCUS));
        const slots = [...notebook.children];
        const slotOf = (child) =>
            child && slots.find((slot) => slot.getAttribute("name") === nameOf(child));
        const slot = slotOf(page);
        if (!slot) {
            return notebook;
        }
        const other =
            slotOf(
                pages.find((child) => child.getAttribute("autofocus") === "autofocus")
            ) || slots.find((candidate) => candidate !== slot);
        const args = [
            index,
            JSON.stringify(page.getAttribute(FOCUS)),
            `'${slot.getAttribute("t-set-slot")}'`,
            `'${other?.getAttribute("t-set-slot") || ""}'`,
        ];
        notebook.setAttribute(
            "defaultPage",
            `__comp__.easycrmDefaultPage(${args.join(", ")})`
        );
        notebook.setAttribute(
            "onPageUpdate",
            `(page) => __comp__.easycrmShownPage(${index}, page)`
        );
        return notebook;
    },
});

function nameOf(page) {
    return toStringExpression(page.getAttribute("name") || "");
}

patch(FormRenderer.prototype, {
    setup() {
        super.setup();
        /** By notebook: the record asked about, the page to open on, and the one chosen by the reader. */
        this.easycrmFocus = {};
    },

    easycrmDefaultPage(index, expression, page, other) {
        const {record, activeNotebookPages} = this.props;
        const focus = (this.easycrmFocus[index] ||= {page: activeNotebookPages[index]});
        focus.restored ??= Boolean(focus.page);
        if (focus.restored || (focus.chosen && focus.page)) {
            return focus.page;
        }
        const asked = record.isNew ? "new" : record.resId;
        if (focus.asked !== asked) {
            focus.asked = asked;
            const holds =
                !record.isNew &&
                this.evaluateBooleanExpr(expression, record.evalContextWithVirtualIds);
            focus.page = holds ? page : other || page;
        }
        return focus.page;
    },

    easycrmShownPage(index, page) {
        const focus = this.easycrmFocus[index];
        if (focus) {
            focus.chosen = page !== focus.page;
        }
        this.props.onNotebookPageChange(index, page);
    },
});
