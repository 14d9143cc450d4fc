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

const count = (words) => `.o_easycrm_count:contains('${words}')`;
const focusedRow = ".o_easycrm_conversation:has(.o_easycrm_toggle:focus)";

/** Puts a mail on the contact, as a colleague's or another window's click does. */
async function putBack(subject) {
    const {orm} = odoo.__WOWL_DEBUG__.root.env.services;
    const [id] = await orm.search("easycrm.email", [["subject", "=", subject]]);
    const reasons = await orm.call("easycrm.email", "easycrm_why", [
        [id],
        "res.partner",
        0,
    ]);
    const {link_id: linkId} = reasons.find(({removed}) => removed);
    await orm.call("easycrm.email.link", "action_put_back", [[linkId]]);
}

/**
 * Finds mails on a contact’s form, and sees one come in. The contact has two, the
 * newer one with an attachment, and a newest one, “Are you there?”,
 * which was taken off.
 */
registry.category("web_tour.tours").add("easycrm_timeline_find_tour", {
    steps: () => [
        {
            trigger: ".o_easycrm_stat_button",
            run: "click",
        },
        {
            content: "What is here is counted",
            trigger: count("2 emails in 2 conversations"),
        },
        {
            content: "A key leads to the search",
            trigger: ".o_notebook_headers a[name='easycrm_timeline']",
            run: "press s",
        },
        {
            content: "A word of the text finds the mail",
            trigger: ".o_easycrm_search_input:focus",
            run: "edit grateful",
        },
        {
            trigger: count("1 email"),
        },
        {
            content: "Filters hold together with the search",
            trigger: ".o_easycrm_filter_outbound",
            run: "click",
        },
        {
            content: "Nothing fits, and it says so",
            trigger: ".o_easycrm_empty_filtered:contains('No email fits “grateful”')",
        },
        {
            trigger: ".o_easycrm_clear_filters",
            run: "click",
        },
        {
            trigger: count("2 emails in 2 conversations"),
        },
        {
            trigger: ".o_easycrm_filter_attachments[aria-pressed='false']",
            run: "click",
        },
        {
            trigger: `.o_easycrm_bar:has(${count("1 email")}) .o_easycrm_filter_attachments[aria-pressed='true']`,
        },
        {
            content: "“All” lets the chips go",
            trigger: ".o_easycrm_filter_all",
            run: "click",
        },
        {
            trigger: count("2 emails in 2 conversations"),
        },
        {
            content: "A person is chosen from those who wrote here",
            trigger: ".o_easycrm_filter_person",
            run: "click",
        },
        {
            trigger: ".o_easycrm_person:contains('anna@acme.example')",
            run: "click",
        },
        {
            trigger:
                ".o_easycrm_filter_person[aria-pressed='true']:contains('anna@acme.example')",
        },
        {
            trigger: ".o_easycrm_filter_all",
            run: "click",
        },
        {
            content: "Keys go through the rows",
            trigger:
                ".o_easycrm_timeline:not(:has(.o_easycrm_searching)) .o_easycrm_filter_all[aria-pressed='true']",
            run: "press j",
        },
        {
            trigger: `${focusedRow} .o_easycrm_toggle[aria-expanded='false']`,
            run: "press Enter",
        },
        {
            trigger: `${focusedRow}.o_easycrm_opened .o_easycrm_toggle`,
            run: "press Escape",
        },
        {
            content: "While all is folded, a new mail slides in by itself",
            trigger: `.o_easycrm_timeline:not(:has(.o_easycrm_opened)) ${count("2 emails")}`,
            run: () => putBack("Are you there?"),
        },
        {
            trigger:
                ".o_easycrm_conversation .o_easycrm_subject:contains('Are you there?')",
        },
        {
            content: "It is told to those who listen, and counted",
            trigger: ".o_easycrm_announcement:contains('1 new email')",
        },
        {
            trigger: count("3 emails in 3 conversations"),
        },
        {
            content: "The smart button counts it too",
            trigger: ".o_easycrm_stat_button .o_stat_value:contains('3')",
        },
    ],
});
