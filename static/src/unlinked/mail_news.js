/** What was shown, and what the server says now: one after the other, so that nobody loses their place. */

/**
 * Groups stay where the reader has seen them, though their newest mail has been linked; those with new mail come to
 * their new place.
 *
 * @param {import("./mail_items").Group[]} known in the order that is shown
 * @param {import("./mail_items").Group[]} groups as they are now, the newest first
 * @param {boolean} isAll there are no others
 */
export function placeGroups(known, groups, isAll) {
    const now = new Map(groups.map((group) => [group.key, group]));
    const stays = known.filter(({key, latest}) =>
        now.has(key) ? now.get(key).latest <= latest : !isAll
    );
    const placed = stays.map((group) => now.get(group.key) || group);
    const isPlaced = new Set(placed);
    groups.forEach((group, index) => {
        if (!isPlaced.has(group)) {
            placed.splice(placed.indexOf(groups[index - 1]) + 1, 0, group);
            isPlaced.add(group);
        }
    });
    return placed;
}

/**
 * The first mails of a page are asked for again; those after them stay, as far as had been come.
 *
 * @param {{rows: import("./mail_items").Row[], next: any}|undefined} known
 * @param {{rows: import("./mail_items").Row[], next: any}} answer
 */
export function joinPage(known, {rows, next}) {
    const last = rows.at(-1);
    if (!known || !next || !last) {
        return {rows, next};
    }
    const isAfter = ({date, id}) =>
        date < last.date || (date === last.date && id < last.id);
    const after = known.rows.filter(isAfter);
    return after.length ? {rows: [...rows, ...after], next: known.next} : {rows, next};
}
