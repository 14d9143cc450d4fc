import {registry} from "@web/core/registry";

const BANNER = ".o_easycrm_notice";

/** Connects a mailbox by signing in: the consent page presses its button by itself. */
function connect(provider, button) {
    registry.category("web_tour.tours").add(`easycrm_connect_${provider}_tour`, {
        steps: () => [
            {
                content: "Adds an account",
                trigger: ".o_list_button_add",
                run: "click",
            },
            {
                content: "Enters the address",
                trigger: ".o_field_widget[name='email'] input",
                run: "edit browser@chairs.example",
            },
            {
                content: "Chooses the service",
                trigger: `.o_field_widget[name='provider'] input[data-value='${provider}']`,
                run: "click",
            },
            {
                content: "Nothing asks for a server or password",
                trigger: ".o_form_view:not(:has(.o_field_widget[name='imap_host']))",
            },
            {
                content: "Signs in",
                trigger: `.o_form_statusbar button[name='action_sign_in']:contains('${button}')`,
                run: "click",
                expectUnloadPage: true,
            },
            {
                content: "Is back on the account, signed in",
                trigger:
                    ".o_field_widget[name='signed_in_as']:contains('browser@chairs.example')",
            },
            {
                content: "Reading has begun",
                trigger:
                    ".o_form_view:has(.o_arrow_button_current[data-value='reading']):not(:has(button[name='action_sign_in']))",
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
