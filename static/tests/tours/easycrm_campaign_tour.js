import {registry} from "@web/core/registry";

const SEND_THROUGH = ".o_field_widget[name='easycrm_esp_id']";
const tile = (kind) => `.o_easycrm_tiles [data-kind='${kind}']`;

/** A mailing is written, and goes through SendGrid. */
registry.category("web_tour.tours").add("easycrm_campaign_write_tour", {
    steps: () => [
        {
            content: "Writes a new mailing",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "It goes through Odoo's own server, unless another way is chosen",
            trigger: `${SEND_THROUGH} .form-check:contains('Odoo’s mail server') input:checked`,
        },
        {
            content: "Chooses the theme",
            trigger:
                "div[name='body_arch'] .o_mailing_template_preview_wrapper [data-name='default']",
            run: "click",
        },
        {
            content: "The theme is there",
            trigger: "div[name='body_arch'] :iframe .o_editable",
        },
        {
            content: "Says what it is about",
            trigger: "div[name='subject'] input",
            run: "edit Offer of the tour",
        },
        {
            content: "Looks for the list",
            trigger: "div[name='contact_list_ids'] input",
            run: "edit Hotels of the tour",
        },
        {
            content: "Takes it",
            trigger: "li.ui-menu-item:contains('Hotels of the tour')",
            run: "click",
        },
        {
            content: "Sends it through SendGrid",
            trigger: `${SEND_THROUGH} .form-check:contains('SendGrid') input`,
            run: "click",
        },
        {
            content: "How SendGrid is stands below",
            trigger: `${SEND_THROUGH} .o_easycrm_way_health:contains('ours.example')`,
        },
        {
            content: "Sends",
            trigger: "button[name='action_launch']",
            run: "click",
        },
        {
            content: "Really",
            trigger: ".modal .btn-primary:contains('Send to all')",
            run: "click",
        },
        {
            content: "It is in the queue",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('In Queue')",
        },
    ],
});

/** It is being sent: paused, and resumed. */
registry.category("web_tour.tours").add("easycrm_campaign_sending_tour", {
    steps: () => [
        {
            content: "It says how far it is",
            trigger: ".o_easycrm_progress_words:contains('0 of 3')",
        },
        {
            content: "And who was left out",
            trigger: ".o_easycrm_left_out button:contains('1 twice in the lists')",
        },
        {
            content: "Pauses it",
            trigger: "button[name='action_easycrm_pause']",
            run: "click",
        },
        {
            content: "It says who has",
            trigger: ".o_easycrm_progress_words:contains('0 of 3, paused by you at')",
        },
        {
            content: "Goes on",
            trigger: ".o_easycrm_progress .o_easycrm_resume",
            run: "click",
        },
        {
            content: "It is no longer paused",
            trigger: "button[name='action_easycrm_pause']",
        },
        {
            content: "Looks who was left out",
            trigger: ".o_easycrm_left_out button:contains('1 twice in the lists')",
            run: "click",
        },
        {
            content: "It is one",
            trigger: ".o_list_view .o_data_row:contains('p0@example.com')",
        },
    ],
});

/** It is sent, and what the sender has reported stands on the page of results. */
registry.category("web_tour.tours").add("easycrm_campaign_results_tour", {
    steps: () => [
        {
            content: "The form opens on the results: two of three were delivered",
            trigger: `${tile("delivered")}:contains('2'):contains('66.7'):contains('of 3 handed over')`,
        },
        {
            content: "One was opened by a person",
            trigger: `${tile("opened")}:contains('1'):contains('50.0')`,
        },
        {
            content: "And another one by a machine",
            trigger: `${tile("machine")}:contains('1'):contains('50.0')`,
        },
        {
            content: "One came back",
            trigger: `${tile("bounced")}:contains('1 hard, 0 other')`,
        },
        {
            content: "The domains are told",
            trigger: ".o_easycrm_results_table:contains('example.com'):contains('3')",
        },
        {
            content: "Asks who has opened it",
            trigger: `${tile("opened")} button`,
            run: "click",
        },
        {
            content: "Opens the recipient",
            trigger: ".o_list_view .o_data_row:contains('p0@example.com') .o_data_cell",
            run: "click",
        },
        {
            content: "All that was reported about him stands there",
            trigger:
                ".o_field_widget[name='easycrm_event_ids']:contains('Opened'):contains('Delivered')",
        },
    ],
});
