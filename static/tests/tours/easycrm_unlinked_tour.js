import {registry} from "@web/core/registry";

const mail = (subject) => `.o_easycrm_item_mail:contains('${subject}')`;
const card = (name) => `.o_easycrm_record:contains('${name}')`;
const waiting = (count) => `.o_easycrm_waiting:contains('${count} waiting')`;
const badge = (count) => `.o_easycrm_menu_badge:contains('${count}')`;
const row = (subject) => `.o_data_row:contains('${subject}')`;
const body = ".o_easycrm_unlinked";

/** What a pointer does at the middle of a place. */
function point(type, target, place) {
    const {left, top, width, height} = place.getBoundingClientRect();
    target.dispatchEvent(
        new PointerEvent(type, {
            ...{bubbles: true, cancelable: true, composed: true, pointerType: "mouse"},
            ...{button: 0, clientX: left + width / 2, clientY: top + height / 2},
        })
    );
}

/** Drags a mail over a record's card, and does not let go. */
async function dragOver(mailElement, name) {
    const target = [...document.querySelectorAll(".o_easycrm_record")].find((record) =>
        record.textContent.includes(name)
    );
    point("pointerdown", mailElement, mailElement);
    for (const place of [".o_easycrm_pane", ".o_easycrm_dock"]) {
        point("pointermove", document.body, document.querySelector(place));
        await new Promise(requestAnimationFrame);
    }
    point("pointermove", document.body, target);
}

/**
 * Mail finds its home by drag and drop, and the move teaches. Anna of union.example has written four times, Bruno
 * once; the opportunity “Union – 40 chairs” is of the same domain.
 */
registry.category("web_tour.tours").add("easycrm_unlinked_drag_tour", {
    steps: () => [
        {
            content: "All that waits is counted, in the menu too",
            trigger: `body:has(${badge(5)}) ${waiting(5)}`,
        },
        {
            content: "The newest lies open",
            trigger: ".o_easycrm_pane .o_easycrm_reader:contains('union.example')",
        },
        {
            trigger: `${mail("Fourth")} .o_easycrm_check`,
            run: "click",
        },
        {
            trigger: `${mail("Third")} .o_easycrm_check`,
            run: "click",
        },
        {
            trigger: `.o_easycrm_selected:contains('2 selected')`,
        },
        {
            content: "The opportunity is suggested, with its reason",
            trigger: `${card("Union – 40 chairs")} .o_easycrm_reason_chip`,
        },
        {
            content: "Both are dragged onto it, and it says what will happen",
            trigger: mail("Third"),
            run: ({anchor}) => dragOver(anchor, "Union – 40 chairs"),
        },
        {
            trigger:
                ".o_easycrm_over .o_easycrm_record_drop:contains('link 2 mails to Union – 40 chairs')",
            run: ({anchor}) => point("pointerup", anchor, anchor),
        },
        {
            content: "Done, with a way back",
            trigger:
                ".o_notification:contains('2 mails linked to Union – 40 chairs') button:contains('Undo')",
        },
        {
            trigger: `body:has(${badge(3)}) ${waiting(3)}`,
        },
        {
            content: "The question sits in the dock, with nothing wide chosen",
            trigger: ".o_easycrm_dock input[value='these']:checked",
        },
        {
            trigger: ".o_easycrm_dock input[value='address']",
            run: "click",
        },
        {
            content: "The button repeats the number",
            trigger: ".o_easycrm_teach:contains('Place 2 others')",
            run: "click",
        },
        {
            trigger: `body:has(${badge(1)}) ${waiting(1)}`,
        },
        {
            content: "One Undo for all of it",
            trigger: ".o_notification button:contains('Undo')",
            run: "click",
        },
        {
            trigger: `body:has(${badge(5)}) ${waiting(5)}`,
        },
        {
            trigger: mail("Fourth"),
        },
    ],
});

/** The same without a mouse. */
registry.category("web_tour.tours").add("easycrm_unlinked_keys_tour", {
    steps: () => [
        {
            trigger: `.o_easycrm_cursor${mail("Fourth")}`,
        },
        {
            trigger: body,
            run: "press j",
        },
        {
            trigger: `.o_easycrm_cursor${mail("Third")}:has(.o_easycrm_item_open:focus)`,
            run: "press x",
        },
        {
            trigger: ".o_easycrm_announcement:contains('1 mail selected')",
        },
        {
            trigger: body,
            run: "press l",
        },
        {
            trigger: ".o_easycrm_dock_input:focus",
            run: "edit 40 chairs",
        },
        {
            trigger: ".o_easycrm_found_active:contains('Union – 40 chairs')",
        },
        {
            trigger: ".o_easycrm_dock_input:focus",
            run: "press Enter",
        },
        {
            content: "The screen reader is told",
            trigger:
                ".o_easycrm_announcement:contains('1 mail linked to Union – 40 chairs')",
        },
        {
            trigger: `${waiting(4)}`,
        },
        {
            content: "The list has the focus again, on the mail after it",
            trigger: `.o_easycrm_cursor${mail("Second")} .o_easycrm_item_open:focus`,
            run: "press z",
        },
        {
            trigger: waiting(5),
        },
        {
            trigger: `.o_easycrm_cursor${mail("Third")}`,
            run: "press i",
        },
        {
            trigger: ".o_notification:contains('1 mail ignored')",
        },
        {
            trigger: waiting(4),
        },
    ],
});

/** A step is undone later, where the mail tells what was done with it; and mail is grouped by its domain. */
registry.category("web_tour.tours").add("easycrm_unlinked_history_tour", {
    steps: () => [
        {
            trigger: `${card("Union – 40 chairs")}`,
            run: "click",
        },
        {
            trigger: `body:has(${badge(4)}) ${waiting(4)}`,
        },
        {
            content: "By its domain",
            trigger: ".o_easycrm_arrange",
            run: "click",
        },
        {
            trigger: ".dropdown-item:contains('Grouped by domain')",
            run: "click",
        },
        {
            trigger: ".o_easycrm_item_group:contains('union.example')",
        },
        {
            trigger: ".o_easycrm_item_group:contains('beck-bau.example')",
        },
        {
            content: "A mail that is ignored, and brought back",
            trigger: `.o_easycrm_cursor${mail("Third")} .o_easycrm_item_open`,
            run: "press i",
        },
        {
            trigger: waiting(3),
        },
        {
            trigger:
                ".o_notification:contains('1 mail ignored') button:contains('Undo')",
            run: "click",
        },
        {
            trigger: `${waiting(4)}`,
        },
        {
            trigger: `${mail("Third")} .o_easycrm_mail`,
            run: "click",
        },
        {
            trigger: ".o_easycrm_pane_title:contains('Third')",
        },
        {
            content: "The mail itself tells of it",
            trigger: ".o_easycrm_pane .o_easycrm_why_toggle",
            run: "click",
        },
        {
            trigger: ".o_easycrm_step_undone:contains('Ignored'):contains('undone')",
        },
        {
            content: "What is ignored can be looked at",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            trigger: ".o_filter_menu .o_menu_item:contains('Ignored')",
        },
        {
            trigger: ".o_group_by_menu .o_menu_item:contains('Domain')",
        },
        {
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            content: "What became of one's mail is told from here",
            trigger: ".o_control_panel .o_easycrm_ask_where",
            run: "click",
        },
        {
            trigger: ".o_easycrm_where_input",
        },
    ],
});

/** In Odoo's own list of them, what is selected is ignored, and that is undone. */
registry.category("web_tour.tours").add("easycrm_unlinked_list_tour", {
    steps: () => [
        {
            trigger: ".o_easycrm_as_list",
            run: "click",
        },
        {
            trigger: `${row("Third")} .o_list_record_selector input`,
            run: "click",
        },
        {
            trigger: `${row("Fourth")} .o_list_record_selector input`,
            run: "click",
        },
        {
            trigger: ".o_control_panel button[name='action_ignore']",
            run: "click",
        },
        {
            trigger: `.o_list_view:not(:has(${row("Third")}, ${row("Fourth")})) ${row("First")}`,
        },
        {
            trigger:
                ".o_notification:contains('2 mails ignored') button:contains('Undo')",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('Undone for 2 mails')",
        },
        {
            trigger: row("Third"),
        },
        {
            trigger: row("Fourth"),
        },
    ],
});

/** A new contact, filled from the mail; what is saved is linked. */
registry.category("web_tour.tours").add("easycrm_unlinked_new_tour", {
    steps: () => [
        {
            trigger: `.o_easycrm_item_group:contains('bruno@beck-bau.example') .o_easycrm_item_open`,
            run: "click",
        },
        {
            trigger: `${mail("From Bruno")} .o_easycrm_mail`,
            run: "click",
        },
        {
            trigger: ".o_easycrm_pane_title:contains('From Bruno')",
        },
        {
            trigger: ".o_easycrm_new[data-drop='res.partner']:contains('Bruno Bauer')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='email'] input",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: ".o_notification:contains('linked to Bruno Bauer')",
        },
        {
            trigger: `body:not(:has(.modal)) ${waiting(4)}`,
        },
    ],
});
