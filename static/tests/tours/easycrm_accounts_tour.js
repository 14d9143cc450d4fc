import {registry} from "@web/core/registry";

const ROW = ".o_data_row:contains('mira.real@ours.example')";

/** An administrator looks how all mailboxes are doing, and has one compared. */
registry.category("web_tour.tours").add("easycrm_accounts_tour", {
    steps: () => [
        {
            content: "Each mailbox says how it is doing, and since when",
            trigger: `${ROW}:has(.o_easycrm_status:contains('Up to date')):has(.o_easycrm_lag)`,
        },
        {
            content: "Counts stand on the chips",
            trigger:
                ".o_easycrm_filter[data-health='all'][aria-pressed='true']:contains('3')",
        },
        {
            content: "Shows the paused ones",
            trigger: ".o_easycrm_filter[data-health='paused']:contains('2')",
            run: "click",
        },
        {
            content: "The others are gone",
            trigger: `.o_list_view:has(.o_facet_value:contains('Paused')):not(:has(${ROW}))`,
        },
        {
            content: "Shows those that are up to date instead",
            trigger: ".o_easycrm_filter[data-health='ok']",
            run: "click",
        },
        {
            content: "Asks for the last days of one",
            trigger: `.o_list_view:not(:has(.o_facet_value:contains('Paused'))) ${ROW} .o_easycrm_status`,
            run: "click",
        },
        {
            content: "Has it compared",
            trigger:
                ".o_easycrm_week:contains('have not been compared yet') .o_easycrm_compare_now",
            run: "click",
        },
        {
            content: "Is told so",
            trigger: ".o_notification:contains('The last 7 days are being compared.')",
        },
    ],
});

/** The same one afterwards. */
registry.category("web_tour.tours").add("easycrm_accounts_healed_tour", {
    steps: () => [
        {
            content: "What was missing is here",
            trigger: `${ROW}:contains('2 of 2'):contains('1 recovered') .o_easycrm_status:contains('Up to date')`,
            run: "click",
        },
        {
            content: "Each day says so",
            trigger:
                ".o_easycrm_week:contains('7 days: 2 of 2') .o_easycrm_week_day.o_easycrm_tint_success:contains('2')",
        },
        {
            content: "Looks at the emails a day",
            trigger: ".o_easycrm_daily",
            run: "click",
        },
        {
            content: "As a graph",
            trigger: ".o_graph_view .o_graph_renderer canvas",
        },
        {
            content: "And as a table",
            trigger: ".o_switch_view.o_pivot",
            run: "click",
        },
        {
            content: "By mailbox",
            trigger: ".o_pivot_view:contains('mira.real@ours.example')",
        },
    ],
});
