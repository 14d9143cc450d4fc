import {registry} from "@web/core/registry";

/** Hands the conversations of somebody who has left over to Jonas, in the list of all mailboxes. */
registry.category("web_tour.tours").add("easycrm_hand_over_tour", {
    steps: () => [
        {
            content: "The mailbox is stopped, its owner archived",
            trigger:
                ".o_data_row:contains('mira@ours.example'):contains('Stopped'):contains('archived') .o_easycrm_hand_over:contains('Hand over 2 conversations')",
        },
        {
            content: "It is opened",
            trigger:
                ".o_data_row:contains('mira@ours.example') .o_data_cell[name='email']",
            run: "click",
        },
        {
            content: "It says what is still to be done",
            trigger: ".o_form_view .alert button:contains('Hand over 2 conversations')",
            run: "click",
        },
        {
            content:
                "The window names the customers, and no subject that is not shared",
            trigger:
                ".modal:contains('2 conversations with 2 customers wait'):contains('Anna Berg'):contains('Bruno Beck'):not(:contains('Secret'))",
        },
        {
            content: "One colleague for all",
            trigger: ".modal .o_inner_group .o_field_widget[name='user_id'] input",
            run: "edit Jonas",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains('Jonas Jung')",
            run: "click",
        },
        {
            content: "Each line has him",
            trigger: ".modal .o_data_row:contains('Anna Berg'):contains('Jonas Jung')",
        },
        {
            trigger: ".modal .o_data_row:contains('Bruno Beck'):contains('Jonas Jung')",
        },
        {
            content: "Nobody is without a colleague",
            trigger:
                ".modal:contains('wait for an answer'):not(:contains('without a colleague'))",
        },
        {
            trigger: ".modal button[name='action_hand_over']",
            run: "click",
        },
        {
            content: "It is done",
            trigger: ".o_notification:contains('2 customers are handed over')",
        },
        {
            content: "Nothing is left to be done",
            trigger:
                "body:not(:has(.modal)) .o_form_view .alert:contains('not read any more'):not(:has(button:contains('Hand over')))",
        },
    ],
});

/** Deletes a contact, with all of the emails that are nobody else's. */
registry.category("web_tour.tours").add("easycrm_erase_tour", {
    steps: () => [
        {
            content: "The contact has mail",
            trigger: ".o_form_view:has(.o_easycrm_conversation)",
        },
        {
            trigger: ".o_cp_action_menus .fa-cog",
            run: "click",
        },
        {
            trigger: ".o-dropdown-item:contains('Delete with Emails')",
            run: "click",
        },
        {
            content: "The window tells how many",
            trigger: ".modal:contains('2 emails that you can read are with them')",
        },
        {
            trigger: ".modal button[name='action_erase']",
            run: "click",
        },
        {
            trigger:
                ".o_notification:contains('Deleted, with 2 emails that you could read.')",
        },
        {
            content: "The contacts are shown, without this one",
            trigger: ".o_list_view:contains('ACME'):not(:contains('Bruno Beck'))",
        },
    ],
});
