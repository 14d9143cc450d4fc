import {Plugin} from "@html_editor/plugin";

const MISSING = ".o_easycrm_missing";

/** The mark of a value that a template's record does not have: whatever is written in its place takes it off. */
export class MissingPlugin extends Plugin {
    static id = "easycrmMissing";
    static dependencies = ["selection"];
    resources = {
        normalize_handlers: (root) => this.unmarkWritten(root),
    };

    setup() {
        this.addDomListener(this.editable, "click", (ev) => {
            const mark = ev.target.closest?.(MISSING);
            if (mark) {
                this.dependencies.selection.setSelection({
                    anchorNode: mark,
                    anchorOffset: 0,
                    focusNode: mark,
                    focusOffset: mark.childNodes.length,
                });
            }
        });
    }

    /** The element stays, and the caret in it: it is a mark no more. */
    unmarkWritten(root) {
        const around = root.closest?.(MISSING);
        const marks = [...(root.querySelectorAll?.(MISSING) || [])];
        for (const mark of around ? [around, ...marks] : marks) {
            if (!mark.textContent.includes(mark.dataset.words)) {
                mark.removeAttribute("class");
                for (const name of Object.keys(mark.dataset)) {
                    delete mark.dataset[name];
                }
            }
        }
    }
}
