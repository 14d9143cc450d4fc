import {registry} from "@web/core/registry";

const WINDOW = ".o_easycrm_compose";

/** Puts a file into the window, as choosing one does. */
function chooseFile(name, type, content) {
    return () => {
        const input = document.querySelector(`${WINDOW} .o_easycrm_file_input`);
        const transfer = new DataTransfer();
        transfer.items.add(new File([content], name, {type}));
        input.files = transfer.files;
        input.dispatchEvent(new Event("change", {bubbles: true}));
    };
}

/**
 * Sends an email with a template and a file. The contact needs an email address and no website; there is a template
 * "Final offer" with its name and its website.
 */
registry.category("web_tour.tours").add("easycrm_compose_tour", {
    steps: () => [
        {
            content: "The timeline is a page of the form",
            trigger: ".o_notebook_headers a[name='easycrm_timeline']",
            run: "click",
        },
        {
            content: "It offers to send an email",
            trigger: ".o_easycrm_timeline .o_easycrm_send_email",
            run: "click",
        },
        {
            content: "It is to the contact",
            trigger: `${WINDOW} .o_easycrm_person_name:contains(Anna Berg)`,
        },
        {
            content: "There are templates",
            trigger: `${WINDOW} .o_easycrm_template`,
            run: "click",
        },
        {
            content: "One is chosen",
            trigger: ".o_easycrm_template_item:contains(Final offer)",
            run: "click",
        },
        {
            content: "It is shown with the contact's values",
            trigger: `${WINDOW} .o_easycrm_writing:contains(Dear Anna Berg)`,
        },
        {
            content: "Its subject, too",
            trigger: `${WINDOW} .o_easycrm_subject_input:value(Offer for Anna Berg)`,
        },
        {
            content: "A value is missing, and it is said where",
            trigger: `${WINDOW} .o_easycrm_missing_bar:contains(Website Link)`,
        },
        {
            content: "It is not sent as a blank",
            trigger: `${WINDOW} .o_easycrm_send`,
            run: "click",
        },
        {
            content: "It says so",
            trigger: `${WINDOW} .o_easycrm_problem:contains(Values are missing)`,
        },
        {
            content: "What is written in its place takes the mark off",
            trigger: `${WINDOW} .o_easycrm_missing`,
            run() {
                const {anchor} = this;
                anchor.ownerDocument.getSelection().selectAllChildren(anchor);
                document.execCommand("insertText", false, "acme.example");
            },
        },
        {
            content: "Nothing is missing any more",
            trigger: `${WINDOW}:not(:has(.o_easycrm_missing_bar))`,
        },
        {
            content: "A file goes along",
            trigger: `${WINDOW} .o_easycrm_add_files`,
            run: chooseFile("Plan.pdf", "application/pdf", "%PDF-1.4 the plan"),
        },
        {
            content: "It is here, and how large all of it is",
            trigger: `${WINDOW}:has(.o_easycrm_size) .o_easycrm_file a:contains(Plan.pdf)`,
        },
        {
            content: "Send",
            trigger: `${WINDOW} .o_easycrm_send`,
            run: "click",
        },
        {
            content: "It can be taken back",
            trigger: ".o_easycrm_toast_sending .o_easycrm_undo",
            run: "click",
        },
        {
            content: "The window is there again, as it was",
            trigger: `${WINDOW} .o_easycrm_file a:contains(Plan.pdf)`,
        },
        {
            content: "With its text",
            trigger: `${WINDOW} .o_easycrm_writing:contains(acme.example)`,
        },
        {
            content: "Send, now in earnest",
            trigger: `${WINDOW} .o_easycrm_send`,
            run: "click",
        },
        {
            content: "It is on its way",
            trigger:
                ".o_easycrm_toast_sending .o_easycrm_toast_words:contains(Anna Berg)",
        },
        {
            content: "It stands above the timeline until it has left",
            trigger:
                ".o_easycrm_outgoing_queued .o_easycrm_subject:contains(Offer for Anna Berg)",
        },
    ],
});

/** Answers the newest mail of a contact. */
registry.category("web_tour.tours").add("easycrm_reply_tour", {
    steps: () => [
        {
            content: "Open the conversation",
            trigger: ".o_easycrm_conversation .o_easycrm_toggle[aria-expanded='false']",
            run: "click",
        },
        {
            content: "Answer",
            trigger: ".o_easycrm_reader .o_easycrm_reply",
            run: "click",
        },
        {
            content: "It is to whom it came from",
            trigger: `${WINDOW} .o_easycrm_person_name:contains(Anna Berg)`,
        },
        {
            content: "What is answered is folded",
            trigger: `${WINDOW} .o_easycrm_quote_toggle:contains(Show quoted text)`,
            run: "click",
        },
        {
            content: "It can be read",
            trigger: `${WINDOW} .o_easycrm_quote_shown :iframe body:contains(Which colour)`,
        },
        {
            content: "However long it is, the window alone scrolls",
            trigger: `${WINDOW}:has(.o_easycrm_quote_shown)`,
            async run({waitUntil}) {
                const quote = this.anchor.querySelector(".o_easycrm_quote_shown");
                const frame = quote.querySelector("iframe");
                await waitUntil(() => frame.offsetHeight > window.innerHeight);
                if (quote.clientHeight < frame.offsetHeight) {
                    throw new Error("the quoted text scrolls by itself");
                }
            },
        },
        {
            content: "The way to fold it stays in sight",
            trigger: `${WINDOW} .modal-body`,
            run() {
                this.anchor.scrollTop = this.anchor.scrollHeight / 2;
                const row = this.anchor.querySelector(".o_easycrm_quote_row");
                const {top} = row.getBoundingClientRect();
                if (Math.abs(top - this.anchor.getBoundingClientRect().top) > 2) {
                    throw new Error("it is scrolled away");
                }
            },
        },
        {
            content: "Write",
            trigger: `${WINDOW} .o_easycrm_writing`,
            run: "editor Green, as ever.",
        },
        {
            content: "Send by the keyboard",
            trigger: `${WINDOW} .o_easycrm_writing:contains(Green)`,
            run: "press Control+Enter",
        },
        {
            content: "It is on its way",
            trigger: ".o_easycrm_toast_sending",
        },
        {
            content: "The window is closed",
            trigger: "body:not(:has(.o_easycrm_compose))",
        },
    ],
});
