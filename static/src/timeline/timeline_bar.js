import {Component, useEffect, useState} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {useService} from "@web/core/utils/hooks";
import {useDebounced} from "@web/core/utils/timing";
import {SearchBox} from "../search/search_box";
import {campaignCountWords} from "./campaign_words";
import {
    NO_FILTERS,
    SEARCH_LENGTH,
    hasChips,
    personWords,
    toggled,
    withoutChips,
} from "./timeline_filters";
import {DIRECTIONS, countWords} from "./timeline_words";

/** Milliseconds without a key before what was typed is searched for. */
const TYPING_PAUSE = 300;

/** Above the emails: what to look for, among which, and how many they are. */
export class TimelineBar extends Component {
    static template = "easycrm_mail.TimelineBar";
    static components = {Dropdown, DropdownItem, SearchBox};
    static props = {
        store: Object,
        /** Called when the reader turns from the search to what was found. */
        onLeave: Function,
        onCompose: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.maxLength = SEARCH_LENGTH;
        this.personWords = personWords;
        this.store = useState(this.props.store);
        this.state = useState({
            search: this.store.filters.search,
            /** @type {"loading"|"ready"|"failed"} */
            status: "loading",
            /** @type {{name: string, address: string, count: number}[]} */
            people: [],
        });
        this.searchSoon = useDebounced(() => this.search(), TYPING_PAUSE);
        // Cleared elsewhere, it is cleared here.
        useEffect(
            (search) => {
                if (!search) {
                    this.state.search = "";
                }
            },
            () => [this.store.filters.search]
        );
    }

    get filters() {
        return this.store.filters;
    }

    /** Where there are no campaigns there is nothing to narrow to. */
    get directions() {
        const hasCampaigns =
            this.store.campaignCount || this.filters.direction === "campaign";
        return Object.entries(DIRECTIONS)
            .map(([key, words]) => ({key, ...words}))
            .filter(({key}) => key !== "campaign" || hasCampaigns);
    }

    get hasChips() {
        return hasChips(this.filters);
    }

    get count() {
        const {count, countCapped, conversationCount, campaignCount} = this.store;
        if (this.filters.direction === "campaign") {
            return campaignCountWords(count, countCapped);
        }
        if (!count && campaignCount && !this.store.isFiltered) {
            return campaignCountWords(campaignCount);
        }
        return countWords({
            count,
            capped: countCapped,
            conversations: conversationCount,
        });
    }

    isPerson({address}) {
        return this.filters.person?.address === address;
    }

    onInput(words) {
        this.state.search = words;
        this.searchSoon();
    }

    onKeydown(ev) {
        if (ev.isComposing) {
            return;
        }
        switch (ev.key) {
            case "Enter":
                this.search();
                break;
            case "ArrowDown":
                this.props.onLeave();
                break;
            case "Escape":
                if (this.state.search) {
                    this.clearSearch();
                } else {
                    this.props.onLeave();
                }
                break;
            default:
                return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    search() {
        this.searchSoon.cancel();
        const search = this.state.search.trim();
        if (search !== this.filters.search) {
            this.store.setFilters({...this.filters, search});
        }
    }

    clearSearch() {
        this.state.search = "";
        this.search();
    }

    toggle(name, value) {
        this.store.setFilters(toggled(this.filters, name, value));
    }

    showAll() {
        if (this.hasChips) {
            this.store.setFilters(withoutChips(this.filters));
        }
    }

    clear() {
        this.store.setFilters(NO_FILTERS);
    }

    /** Who wrote and was written to here, asked for when it is looked at. */
    async loadPeople() {
        const {resModel, resId} = this.store;
        this.state.status = this.state.people.length ? "ready" : "loading";
        try {
            this.state.people = await this.orm.silent.call(resModel, "easycrm_people", [
                [resId],
            ]);
            this.state.status = "ready";
        } catch {
            this.state.status = "failed";
        }
    }
}
