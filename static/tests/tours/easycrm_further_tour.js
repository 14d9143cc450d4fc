import {registry} from "@web/core/registry";

/** Enters a further address on a contact's form; the emails of it come in. */
registry.category("web_tour.tours").add("easycrm_other_addresses_tour", {
    steps: () => [
        {
            content: "A further address is typed",
            trigger: ".o_field_widget[name='easycrm_other_emails'] input",
            run: "edit Anna@Home.example && press Enter",
        },
        {
            content: "It is a tag, and nothing is left in the box",
            trigger:
                ".o_field_widget[name='easycrm_other_emails'] .o_tag:contains('Anna@Home.example')",
        },
        {
            content: "It is saved",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is spelled as it is compared",
            trigger:
                ".o_field_widget[name='easycrm_other_emails'] .o_tag:contains('anna@home.example')",
        },
        {
            content: "The email from there stands here",
            trigger: ".o_easycrm_conversation:contains('From home')",
        },
        {
            content: "It is taken away",
            trigger: ".o_field_widget[name='easycrm_other_emails'] .o_tag .o_delete",
            run: "click",
        },
        {
            content: "That is saved",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "The email is gone",
            trigger:
                ".o_easycrm_timeline:not(:has(.o_easycrm_conversation:contains('From home')))",
        },
        {
            content: "The form is as it was",
            trigger: ".o_form_saved",
        },
    ],
});

/** Keeps a conversation on one of two opportunities, and everywhere again. */
registry.category("web_tour.tours").add("easycrm_only_here_tour", {
    steps: () => [
        {
            content: "The conversation opens",
            trigger: ".o_easycrm_toggle[aria-expanded='false']",
            run: "click",
        },
        {
            content: "It stands on two opportunities",
            trigger: ".o_easycrm_why_toggle",
            run: "click",
        },
        {
            content: "It should stand on this one only",
            trigger: ".o_easycrm_only:contains('Only this opportunity')",
            run: "click",
        },
        {
            content: "That is told, with a way back",
            trigger:
                ".o_notification:contains('stands on Chairs only') button:contains('Undo')",
        },
        {
            content: "The reasons tell of it as well",
            trigger:
                ".o_easycrm_why:has(.o_easycrm_reason_removed:contains('Tables')) .o_easycrm_widen",
        },
        {
            content: "Undo",
            trigger: ".o_notification button:contains('Undo')",
            run: "click",
        },
        {
            content: "It stands on both again",
            trigger:
                ".o_easycrm_why:not(:has(.o_easycrm_reason_removed)) .o_easycrm_only",
        },
        {
            content: "The same from the conversation's menu",
            trigger: ".o_easycrm_conversation_menu",
            run: "click",
        },
        {
            trigger: ".o_easycrm_menu_only:contains('Only this opportunity')",
            run: "click",
        },
        {
            content: "And back",
            trigger:
                ".o_notification:contains('stands on Chairs only') button:contains('Undo')",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.o_notification:contains('stands on Chairs only')))",
        },
    ],
});

/** Asks where an email is, from an empty timeline. */
registry.category("web_tour.tours").add("easycrm_where_tour", {
    steps: () => [
        {
            content: "The timeline is opened",
            trigger: ".o_notebook_headers a[name='easycrm_timeline']",
            run: "click",
        },
        {
            content: "Nothing stands here",
            trigger: ".o_easycrm_ask_where",
            run: "click",
        },
        {
            content: "Its address was asked for at once",
            trigger:
                ".o_dialog .o_easycrm_where_address:contains('bruno@beck.example')",
        },
        {
            content: "A subject is asked for",
            trigger: ".o_dialog .o_easycrm_where_input",
            run: "edit chairs && press Enter",
        },
        {
            content: "The email is found, with what it stands on",
            trigger:
                ".o_dialog .o_easycrm_where_email:contains('Offer for 40 chairs'):contains('Anna Berg')",
        },
        {
            content: "The mailbox says how far it is read",
            trigger:
                ".o_dialog .o_easycrm_where_mailbox:contains('It was read last on')",
        },
        {
            content: "The contact opens",
            trigger: ".o_dialog .o_easycrm_where_email a:contains('Anna Berg')",
            run: "click",
        },
        {
            content: "It is Anna's form",
            trigger: ".o_form_view .o_easycrm_conversation",
        },
    ],
});
