import {describe, expect, test} from "@odoo/hoot";

import {makeMockEnv} from "@web/../tests/web_test_helpers";

import {TimeLeft, timeLeftWords} from "@easycrm_mail/sync/time_left";

describe.current.tags("headless");

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A reading with so many mails in each batch, one every two seconds. */
function read(batches, total, left = new TimeLeft()) {
    const told = [];
    let done = 0;
    let now = 0;
    for (const batch of batches) {
        left.add(done, total, now);
        told.push(left.at(now));
        done += batch;
        now += 2 * SECOND;
    }
    return {left, told, now};
}

test("nothing is told before there is something to measure", () => {
    const {told} = read([100, 100, 100], 10_000);
    expect(told).toEqual([null, null, null]);
});

test("at an even speed it is what remains, and runs down with the clock", () => {
    const {left, told, now} = read(Array(30).fill(100), 9_000);
    // 50 a second, 2,900 are read: 122 seconds
    expect(Math.round(told.at(-1) / SECOND)).toBe(122);
    expect(Math.round(left.at(now + 20 * SECOND) / SECOND)).toBe(100);
});

test("batches of very different sizes do not make it jump", () => {
    const batches = Array.from({length: 90}, (_, i) => [20, 300, 60, 5, 240][i % 5]);
    const {told} = read(batches, 60_000);
    const settled = told.slice(30);
    for (const [index, left] of settled.entries()) {
        const before = settled[index - 1] ?? left;
        expect(Math.abs(left - before)).toBeLessThan(0.06 * before);
    }
});

test("a change of speed is followed within the minute", () => {
    const batches = [...Array(40).fill(200), ...Array(60).fill(20)];
    const {told} = read(batches, 20_000);
    const real = ((20_000 - 8_000 - 59 * 20) / 10) * SECOND;
    expect(Math.abs(told.at(-1) - real)).toBeLessThan(0.1 * real);
});

test("without news nothing is known any more, and a new start is measured anew", () => {
    const {left, now} = read(Array(20).fill(100), 9_000);
    expect(left.at(now + 2 * MINUTE)).toBe(null);
    left.add(10, 9_000, now);
    expect(left.at(now)).toBe(null);
});

test("it is told in whole minutes and hours", async () => {
    await makeMockEnv();
    const words = (left) => String(timeLeftWords(left));
    expect(words(null)).toBe("");
    expect(words(20 * SECOND)).toBe("less than a minute left");
    expect(words(3.2 * MINUTE)).toBe("about 3 min left");
    expect(words(170 * MINUTE)).toBe("about 3 h left");
});
