import {registry} from "@web/core/registry";

const BANNER = ".o_easycrm_notice";
const TAB = ".o_notebook_headers a[name='easycrm_timeline']";

/** Connects a mailbox, from a timeline with nothing on it to the first reading: the consent page presses its button by itself. */
function connect(provider, button) {
    registry.category("web_tour.tours").add(`easycrm_connect_${provider}_tour`, {
        steps: () => [
            {
                content: "Opens the timeline",
                trigger: TAB,
                run: "click",
            },
            {
                content: "Chooses the service, where mail will stand",
                trigger: `.o_easycrm_empty_connect button[data-provider='${provider}']`,
                run: "click",
            },
            {
                content: "The service is chosen",
                trigger: `.o_easycrm_way_chosen input[value='${provider}']`,
            },
            {
                content: "Enters the address",
                trigger: ".o_easycrm_connect_email",
                run: "edit browser@chairs.example",
            },
            {
                content: "Goes on",
                trigger: ".o_easycrm_connect_next:enabled",
                run: "click",
            },
            {
                content: "Nothing asks for a server or password",
                trigger: ".o_easycrm_connect:not(:has(.o_easycrm_connect_password))",
            },
            {
                content: "Signs in",
                trigger: `.o_easycrm_connect_go:contains('${button}')`,
                run: "click",
                expectUnloadPage: true,
            },
            {
                content: "Is back in the window, and sees what would come in",
                trigger:
                    ".o_easycrm_connect_sentence:contains('1 mail since'):contains('1 match 1 contact')",
            },
            {
                content: "On the page where it began",
                trigger: `body:has(.o_easycrm_connect) .o_form_view ${TAB}`,
            },
            {
                content: "Has the mailbox read",
                trigger: ".o_easycrm_connect_start:enabled",
                run: "click",
            },
            {
                content: "Reading has begun",
                trigger: ".o_notification:contains('The mailbox is being read')",
            },
            {
                content: "Opens the timeline",
                trigger: `body:not(:has(.o_easycrm_connect)) ${TAB}`,
                run: "click",
            },
            {
                content: "It waits for the first emails",
                trigger: ".o_easycrm_empty:not(:has(.o_easycrm_empty_connect))",
            },
        ],
    });
}

connect("gmail", "Sign in with Google");
connect("outlook", "Sign in with Microsoft");

/** On a contact: the banner of a mailbox whose permission has ended, and the way back. */
registry.category("web_tour.tours").add("easycrm_reconnect_tour", {
    steps: () => [
        {
            content: "The banner says what is wrong",
            trigger: `${BANNER}:contains('Email sync failed. Please check your connection'):contains('taken back')`,
        },
        {
            content: "Reconnects",
            trigger: `${BANNER} button:contains('Reconnect')`,
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Is back on the account, and nothing is wrong with it",
            trigger:
                ".o_form_view:has(.o_field_widget[name='signed_in_as']):not(:has(.alert-danger))",
        },
    ],
});
