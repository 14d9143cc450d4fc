import {describe, expect, test} from "@odoo/hoot";

import {makeMockEnv} from "@web/../tests/web_test_helpers";

import {
    NO_FILTERS,
    filterParams,
    hasChips,
    isFiltered,
    nothingFitsWords,
    searchedWords,
    toggled,
    withoutChips,
} from "@easycrm_mail/timeline/timeline_filters";
import {ANNA, ME} from "./timeline_helpers";

describe.current.tags("headless");

test("a chip that is chosen again is let go, the others stay", () => {
    const sent = toggled(NO_FILTERS, "direction", "outbound");
    const both = toggled(sent, "attachments", true);
    expect(filterParams(both)).toEqual({direction: "outbound", attachments: true});
    expect(filterParams(toggled(both, "direction", "inbound"))).toEqual({
        direction: "inbound",
        attachments: true,
    });
    expect(filterParams(toggled(both, "direction", "outbound"))).toEqual({
        attachments: true,
    });
});

test("a person is known by the address", () => {
    const anna = toggled(NO_FILTERS, "person", ANNA);
    expect(filterParams(anna)).toEqual({person: "anna@nordlicht.example"});
    expect(filterParams(toggled(anna, "person", ME))).toEqual({
        person: "mira@tallwood.example",
    });
    expect(filterParams(toggled(anna, "person", {...ANNA}))).toBe(undefined);
});

test("“All” lets the chips go, and the search stays", () => {
    const filters = toggled({...NO_FILTERS, search: "offer"}, "attachments", true);
    expect(hasChips(filters)).toBe(true);
    const all = withoutChips(filters);
    expect(hasChips(all)).toBe(false);
    expect(isFiltered(all)).toBe(true);
    expect(filterParams(all)).toEqual({search: "offer"});
    expect(isFiltered(NO_FILTERS)).toBe(false);
});

test("nothing found is told in words", async () => {
    await makeMockEnv();
    const filters = toggled(
        toggled({...NO_FILTERS, search: "Brandschutz"}, "attachments", true),
        "person",
        ANNA
    );
    expect(String(nothingFitsWords(filters))).toBe("No email fits “Brandschutz”");
    expect(String(nothingFitsWords(withoutChips(NO_FILTERS)))).toBe(
        "No email fits these filters"
    );
    expect(String(searchedWords(filters, 47))).toBe(
        "Searched 47 emails. Filters: With attachments, Anna Berg"
    );
    expect(String(searchedWords(toggled(NO_FILTERS, "person", ANNA), 1))).toBe(
        "Searched 1 email. Filters: Anna Berg"
    );
    expect(String(searchedWords(NO_FILTERS, 1))).toBe("Searched 1 email.");
});
