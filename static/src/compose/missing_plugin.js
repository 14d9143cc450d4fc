import {Plugin} from "@html_editor/plugin";
import {unwrapContents} from "@html_editor/utils/dom";

const MISSING = ".o_easycrm_missing";

/** The mark of a value that a template's record does not have: whatever is written in its place takes it off. */
export class MissingPlugin extends Plugin {
    static id = "easycrmMissing";
    static dependencies = ["selection"];
    resources = {
        normalize_handlers: (root) => this.unmarkWritten(root),
    };

    setup() {
        for (const mark of this.editable.querySelectorAll(MISSING)) {
            mark.dataset.words = mark.textContent;
        }
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

    unmarkWritten(root) {
        for (const mark of root.querySelectorAll?.(MISSING) || []) {
            const {words} = mark.dataset;
            if (words && mark.textContent !== words) {
                unwrapContents(mark);
            }
        }
    }
}
