import {onWillDestroy, reactive, useState} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";

/** Milliseconds between two ticks. */
const TICK = 20_000;

const clock = reactive({now: Date.now()});
let watchers = 0;
let timer = null;

/**
 * The time, for components that say how long ago something was: they are rendered anew as it passes. One timer serves
 * a whole list.
 *
 * @returns {{now: number}} milliseconds
 */
export function useMinuteClock() {
    clock.now = Date.now();
    if (!watchers++) {
        timer = browser.setInterval(() => {
            clock.now = Date.now();
        }, TICK);
    }
    onWillDestroy(() => {
        if (!--watchers) {
            browser.clearInterval(timer);
        }
    });
    return useState(clock);
}
