import {SearchModel} from "@web/search/search_model";

const GROUP_BYS = ["groupBy", "dateGroupBy"];

/** The list has one level of groups: what is chosen to group by takes the place of what was. */
export class UnlinkedSearchModel extends SearchModel {
    get groupBy() {
        return super.groupBy.slice(0, 1);
    }

    _notify() {
        const isGroupBy = ({searchItemId}) =>
            GROUP_BYS.includes(this.searchItems[searchItemId].type);
        const last = this.query.findLast(isGroupBy);
        this.query = this.query.filter((part) => part === last || !isGroupBy(part));
        return super._notify();
    }
}
