/**
 * Reads a form's record anew, unless that would cost what is being typed.
 *
 * @param {Object} record of a relational model
 */
export async function reloadUnlessDirty(record) {
    if (record.resId && record.model.root === record && !(await record.isDirty())) {
        await record.load();
    }
}
