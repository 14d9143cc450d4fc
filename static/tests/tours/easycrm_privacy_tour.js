import {registry} from "@web/core/registry";

const SUBJECT = "Salary of the new colleague";
const row = `.o_easycrm_conversation:has(.o_easycrm_subject:contains('${SUBJECT}'))`;
const menu = `${row} .o_easycrm_card_head .o_easycrm_privacy`;
const count = (words) => `.o_easycrm_count:contains('${words}')`;

const open = [
    {
        trigger: ".o_easycrm_stat_button",
        run: "click",
    },
    {
        trigger: count("2 emails in 2 conversations"),
    },
    {
        trigger: `${row} .o_easycrm_toggle[aria-expanded='false']`,
        run: "click",
    },
];

/** Makes a conversation private in its menu, takes it back, and makes it private where it says who can read it. */
registry.category("web_tour.tours").add("easycrm_make_private_tour", {
    steps: () => [
        ...open,
        {
            content: "It is shared",
            trigger: `${menu}:contains('Shared')`,
            run: "click",
        },
        {
            trigger: ".o_easycrm_make_private:contains('Make private')",
            run: "click",
        },
        {
            content: "The lock says that it is private now",
            trigger: `${menu}:contains('Private') .fa-lock`,
        },
        {
            content: "A toast offers the way back",
            trigger: ".o_notification:contains('private') button:contains('Undo')",
            run: "click",
        },
        {
            trigger: `${menu}:contains('Shared')`,
        },
        {
            trigger: `${row} .o_easycrm_why_toggle`,
            run: "click",
        },
        {
            content: "It says who can read it",
            trigger: ".o_easycrm_sharing:contains('Everybody who may open')",
        },
        {
            trigger: ".o_easycrm_sharing .o_easycrm_make_private",
            run: "click",
        },
        {
            trigger: ".o_easycrm_sharing:contains('mailbox of their own')",
        },
        {
            trigger: `${menu}:contains('Private') .fa-lock`,
        },
    ],
});

/** What a colleague finds of it while it is private: one email, which has no menu and no remedy. */
registry.category("web_tour.tours").add("easycrm_private_unseen_tour", {
    steps: () => [
        {
            trigger: ".o_easycrm_stat_button .o_stat_value:contains('1')",
            run: "click",
        },
        {
            trigger: count("1 email"),
        },
        {
            trigger: `.o_easycrm_timeline:not(:has(${row}))`,
        },
        {
            content: "Nor by a search",
            trigger: ".o_easycrm_search_input",
            run: "edit salary",
        },
        {
            trigger: ".o_easycrm_empty_filtered:contains('salary')",
        },
        {
            trigger: ".o_easycrm_clear_filters",
            run: "click",
        },
        {
            trigger: ".o_easycrm_conversation .o_easycrm_toggle[aria-expanded='false']",
            run: "click",
        },
        {
            content: "Whose mail it is not, that one decides nothing",
            trigger: ".o_easycrm_opened:not(:has(.o_easycrm_privacy))",
        },
    ],
});

/** Shares it again. */
registry.category("web_tour.tours").add("easycrm_share_tour", {
    steps: () => [
        ...open,
        {
            trigger: `${menu}:contains('Private')`,
            run: "click",
        },
        {
            trigger: ".o_easycrm_share:contains('Share')",
            run: "click",
        },
        {
            trigger: `${menu}:contains('Shared')`,
        },
    ],
});
