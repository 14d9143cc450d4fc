/** The timelines that a form keeps, so that going back to a record shows it at once. */

import {reactive, toRaw} from "@odoo/owl";
import {TimelineStore} from "./timeline_store";

/** Records whose timeline is kept while the form stays open. */
const KEPT_RECORDS = 8;

/** @type {WeakMap<Object, Map<number, TimelineStore>>} stores by the form's model */
const storesByModel = new WeakMap();

/**
 * The store of one record within one form.
 *
 * @param {Object} model the form's relational model: the stores live as long as it does
 * @returns {TimelineStore}
 */
export function timelineStore(model, orm, resModel, resId) {
    const form = toRaw(model);
    if (!storesByModel.has(form)) {
        storesByModel.set(form, new Map());
    }
    const stores = storesByModel.get(form);
    const store =
        stores.get(resId) || reactive(new TimelineStore(orm, resModel, resId));
    // The latest used goes last, the longest unused first.
    stores.delete(resId);
    stores.set(resId, store);
    if (stores.size > KEPT_RECORDS) {
        stores.delete(stores.keys().next().value);
    }
    return store;
}
