import {registry} from "@web/core/registry";

const ROW = ".o_data_row:contains('@bank.example')";

/** A rule is added, and what is here deleted; then it is removed, and that read again. */
registry.category("web_tour.tours").add("easycrm_rules_tour", {
    steps: () => [
        {
            content: "There is no rule yet",
            trigger:
                ".o_view_nocontent_smiling_face:contains('Keep private emails out of the CRM')",
        },
        {
            content: "Adds one",
            trigger: ".o_control_panel button:contains('Add a rule')",
            run: "click",
        },
        {
            content: "Types a domain",
            trigger: ".modal .o_field_widget[name='pattern'] input",
            run: "edit bank.example && press Tab",
        },
        {
            content: "Is told how many emails are here, and deletes them",
            trigger:
                ".modal:has([role='status']:contains('2 emails are here, 1 on contacts or opportunities.')) button:contains('Add and delete them')",
            run: "click",
        },
        {
            content: "Is told so",
            trigger: ".o_notification:contains('2 emails were deleted here.')",
        },
        {
            content: "Sees the rule, and what it has left out",
            trigger: `body:not(:has(.modal)) ${ROW}:has([name='left_out_count']:contains('2')):contains('Never store'):contains('Me')`,
        },
        {
            content: "Removes it",
            trigger: `${ROW} button[name='action_remove']`,
            run: "click",
        },
        {
            content: "Has what it has left out read again",
            trigger:
                ".modal:contains('left out because of it: 2') button:contains('Read them again')",
            run: "click",
        },
        {
            content: "Is told that they come",
            trigger: ".o_notification:contains('2 emails are being read again.')",
        },
        {
            content: "Sees that it is gone",
            trigger: "body:not(:has(.modal)) .o_view_nocontent_smiling_face",
        },
    ],
});
