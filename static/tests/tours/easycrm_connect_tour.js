import {registry} from "@web/core/registry";

const WORKS = "[role='status']:contains('Works')";

/** Connects a mailbox with a password: found servers, a wrong password, a look, leaving, going on, the start. */
registry.category("web_tour.tours").add("easycrm_connect_imap_tour", {
    steps: () => [
        {
            content: "Connects a mailbox",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "Of another service",
            trigger: ".o_easycrm_way:contains('Other mailbox')",
            run: "click",
        },
        {
            content: "Enters the address",
            trigger: ".o_easycrm_connect_email",
            run: "edit mira.new@ours.example",
        },
        {
            content: "Goes on",
            trigger: ".o_easycrm_connect_next:enabled",
            run: "click",
        },
        {
            content: "The servers are found",
            trigger: "#easycrm_imap_host:value(127.0.0.1)",
        },
        {
            content: "What the provider wants is told",
            trigger: ".o_easycrm_connect_note:contains('app password')",
        },
        {
            content: "Enters a wrong password",
            trigger: ".o_easycrm_connect_password",
            run: "edit wrong",
        },
        {
            content: "Goes on",
            trigger: ".o_easycrm_connect_next:enabled",
            run: "click",
        },
        {
            content: "Is told so",
            trigger:
                ".o_easycrm_connect_error:contains('127.0.0.1 does not accept the password for the login ')",
        },
        {
            content: "Enters the right one",
            trigger: ".o_easycrm_connect_password",
            run: "edit pass wörd",
        },
        {
            content: "Tests both directions",
            trigger: ".o_easycrm_connect_test:enabled",
            run: "click",
        },
        {
            content: "Reading works",
            trigger: `.o_easycrm_connect_reading ${WORKS}`,
        },
        {
            content: "Sending works",
            trigger: `.o_easycrm_connect_sending ${WORKS}`,
        },
        {
            content: "Goes on",
            trigger: ".o_easycrm_connect_next:enabled",
            run: "click",
        },
        {
            content: "Sees what would come in",
            trigger:
                ".o_easycrm_connect_sentence:contains('3 mails since'):contains('2 match 1 contact')",
        },
        {
            content: "Leaves out what was sent; the counts follow at once",
            trigger: ".o_easycrm_connect_folder:contains('Sent') input",
            run: "click",
        },
        {
            content: "They have followed",
            trigger:
                ".o_easycrm_connect_sentence:contains('2 mails since'):contains('1 match 1 contact')",
        },
        {
            content: "Colleagues are to see less",
            trigger: ".o_easycrm_connect_choice:contains('Subject') input",
            run: "click",
        },
        {
            content: "Leaves",
            trigger: ".o_easycrm_connect_leave",
            run: "click",
        },
        {
            content: "The mailbox stands in the list",
            trigger:
                "body:not(:has(.o_easycrm_connect)) .o_data_cell[name='email']:contains('mira.new@ours.example')",
            run: "click",
        },
        {
            content: "Where it was left is told",
            trigger:
                ".alert:contains('You stopped at “Look first” today'):contains('Your choices are kept, no mail is.')",
        },
        {
            content: "Goes on",
            trigger:
                ".o_form_statusbar:not(:has(button[name='action_sync_now'])):not(:has(button[name='action_test_connection'])) button.btn-primary[name='action_connect']:contains('Go on')",
            run: "click",
        },
        {
            content: "What was chosen is still chosen",
            trigger:
                ".o_easycrm_connect_sentence:contains('2 mails since'):contains('1 match 1 contact')",
        },
        {
            content: "The level too",
            trigger: ".o_easycrm_connect_chosen:contains('Subject')",
        },
        {
            content: "Has the mailbox read",
            trigger: ".o_easycrm_connect_start:enabled",
            run: "click",
        },
        {
            content: "Reading has begun",
            trigger:
                "body:not(:has(.o_easycrm_connect)) .o_form_view:has(.o_arrow_button_current[data-value='reading'])",
        },
    ],
});

registry.category("web_tour.tours").add("easycrm_first_timeline_tour", {
    steps: () => [
        {
            content: "The first timeline",
            trigger: ".o_easycrm_subject:contains('Offer for 40 chairs')",
        },
    ],
});
