import {registry} from "@web/core/registry";

/**
 * Reads a mail on a contact's form. The contact needs one conversation with an attachment, whose newest mail is HTML
 * with a remote image and a quoted tail.
 */
const conversation = ".o_easycrm_conversation:has(.o_easycrm_chip)";
const frame = ".o_easycrm_reader .o_easycrm_frame_loaded:iframe";

registry.category("web_tour.tours").add("easycrm_timeline_tour", {
    steps: () => [
        {
            content: "The smart button leads to the emails",
            trigger: ".o_easycrm_stat_button",
            run: "click",
        },
        {
            content: "The timeline is the page that is shown",
            trigger: ".o_notebook_headers a[name='easycrm_timeline'].active",
        },
        {
            content: "A conversation opens in its place",
            trigger: `${conversation} .o_easycrm_toggle[aria-expanded='false']`,
            run: "click",
        },
        {
            content: "The mail is read in a frame without scripts",
            trigger: ".o_easycrm_reader .o_easycrm_frame_loaded",
            run() {
                if (this.anchor.sandbox.contains("allow-scripts")) {
                    throw new Error("The frame may run scripts");
                }
            },
        },
        {
            content: "Its text is there, in its full height",
            trigger: `${frame} body`,
            run() {
                if (!this.anchor.textContent.trim()) {
                    throw new Error("The mail has no text");
                }
                const {clientHeight, scrollHeight} =
                    this.anchor.ownerDocument.documentElement;
                if (!clientHeight || scrollHeight > clientHeight) {
                    throw new Error(
                        `The frame shows ${clientHeight} of ${scrollHeight} pixels`
                    );
                }
            },
        },
        {
            content: "Remote images are held back, and the host is named",
            trigger: ".o_easycrm_reader .o_easycrm_remote:has(.o_easycrm_remote_hosts)",
        },
        {
            content: "Nothing remote is in the document",
            trigger: `${frame} body:not(:has(img[src^='http']))`,
        },
        {
            content: "They are shown when asked for",
            trigger: ".o_easycrm_remote_show",
            run: "click",
        },
        {
            content: "Now the document asks for them",
            trigger: `${frame} body:has(img[src^='http'])`,
        },
        {
            content: "And nothing is held back any more",
            trigger: ".o_easycrm_reader:not(:has(.o_easycrm_remote))",
        },
        {
            content: "The quoted text is folded",
            trigger: `${frame} html:not(.o_easycrm_quoted)`,
        },
        {
            trigger: ".o_easycrm_quote_toggle[aria-expanded='false']",
            run: "click",
        },
        {
            content: "And unfolds",
            trigger: `${frame} [data-o-mail-quote]:visible`,
        },
        {
            content: "It says why it is here",
            trigger: ".o_easycrm_why_toggle",
            run: "click",
        },
        {
            trigger: ".o_easycrm_why .o_easycrm_reason:contains('this contact')",
        },
        {
            content: "Its attachment opens",
            trigger: ".o_easycrm_reader .o_easycrm_chip[href]",
            async run() {
                const response = await fetch(this.anchor.href);
                if (response.status !== 200) {
                    throw new Error(`The attachment answers ${response.status}`);
                }
                if (!(await response.blob()).size) {
                    throw new Error("The attachment is empty");
                }
            },
        },
        {
            content: "The conversation folds again",
            trigger: ".o_easycrm_opened .o_easycrm_toggle[aria-expanded='true']",
            run: "click",
        },
        {
            trigger: ".o_easycrm_timeline:not(:has(.o_easycrm_opened))",
        },
    ],
});
