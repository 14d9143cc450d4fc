import {registry} from "@web/core/registry";

/** Opens a large mail, the only one of a contact: its body is read from the mailbox when asked for. */
registry.category("web_tour.tours").add("easycrm_large_tour", {
    steps: () => [
        {
            content: "The smart button leads to the emails",
            trigger: ".o_easycrm_stat_button",
            run: "click",
        },
        {
            content: "The conversation says what it is",
            trigger: ".o_easycrm_conversation:contains('This email is large')",
        },
        {
            content: "It opens in its place",
            trigger: ".o_easycrm_conversation .o_easycrm_toggle[aria-expanded='false']",
            run: "click",
        },
        {
            content: "Its attachment is known, its body is not here",
            trigger:
                ".o_easycrm_reader:has(.o_easycrm_chip):not(:has(iframe)) .o_easycrm_large:contains('is large')",
        },
        {
            content: "It is shown when asked for",
            trigger: ".o_easycrm_large_show",
            run: "click",
        },
        {
            content: "Then the body is here",
            trigger:
                ".o_easycrm_reader .o_easycrm_frame_loaded:iframe body:contains('Here are the plans')",
        },
        {
            content: "Nothing speaks of a large mail any more",
            trigger: ".o_easycrm_timeline:not(:contains('is large'))",
        },
    ],
});
