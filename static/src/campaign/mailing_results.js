import {Component, useState} from "@odoo/owl";

import {_t} from "@web/core/l10n/translation";
import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {registry} from "@web/core/registry";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {useService} from "@web/core/utils/hooks";
import {formatInteger} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {reloadUnlessDirty} from "../sync/reload_record";
import {ratioWords, atWords} from "./campaign_words";
import {usePolling} from "./polling";
import {ResultsChart} from "./results_chart";

/** Milliseconds between two looks: while it is being sent, and in the day after. */
const SENDING_DELAY = 5000;
const DELAY = 30_000;

/** `<widget name="easycrm_mailing_results"/>` on a mailing's form: what became of it. Every number opens its people. */
export class MailingResults extends Component {
    static template = "easycrm_mail.MailingResults";
    static components = {ResultsChart};
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.state = useState({results: null});
        this.polling = usePolling(
            () => this.look(),
            () => this.delay
        );
        useRecordObserver(async ({resId, data}, props) => {
            const known = `${resId} ${data.state}`;
            if (known !== this.known) {
                this.known = known;
                await this.look(props.record);
            }
            this.polling.start();
        });
    }

    get delay() {
        if (this.props.record.data.state === "sending") {
            return SENDING_DELAY;
        }
        return this.results?.is_live && DELAY;
    }

    async look(record = this.props.record) {
        this.lookedAt = record.resId;
        const results = await this.orm.silent.call(
            record.resModel,
            "easycrm_get_results",
            [[record.resId]]
        );
        if (this.lookedAt === record.resId) {
            this.state.results = results;
        }
    }

    get results() {
        return this.state.results;
    }

    /** Every number with what it is a part of. People and machines are two, never one. */
    get tiles() {
        const {tiles, sent} = this.results;
        const {delivered} = tiles;
        const ofSent = {base: sent, of: _t("of %s handed over", formatInteger(sent))};
        const ofDelivered = {
            base: delivered,
            of: _t("of %s delivered", formatInteger(delivered)),
        };
        const shown = [
            {kind: "delivered", title: _t("Delivered"), ...ofSent, note: ofSent.of},
            {
                kind: "opened",
                title: _t("Opened by people"),
                ...ofDelivered,
                note: ofDelivered.of,
            },
            {
                kind: "machine",
                title: _t("Opened by machines"),
                ...ofDelivered,
                note: _t("Apple privacy, scanners"),
            },
            {
                kind: "clicked",
                title: _t("Clicked"),
                ...ofDelivered,
                note: _t("people, not clicks"),
            },
            {
                kind: "replied",
                title: _t("Replied"),
                ...ofDelivered,
                note: _t("in any connected mailbox"),
            },
            {
                kind: "deferred",
                title: _t("Deferred"),
                ...ofSent,
                note: _t("they are tried again"),
            },
            {
                kind: "bounced",
                title: _t("Bounced"),
                ...ofSent,
                note: this.bounceNote,
            },
            {
                kind: "unsubscribed",
                title: _t("Unsubscribed"),
                ...ofDelivered,
                note: this.complaintNote,
            },
        ];
        return shown
            .filter(({kind}) => kind !== "deferred" || tiles.deferred)
            .map((tile) => ({
                ...tile,
                count: tiles[tile.kind],
                number: formatInteger(tiles[tile.kind]),
                ratio: ratioWords(tiles[tile.kind], tile.base),
            }));
    }

    get bounceNote() {
        const {bounced, bounced_hard: hard} = this.results.tiles;
        return _t("%(hard)s hard, %(other)s other", {
            hard: formatInteger(hard),
            other: formatInteger(bounced - hard),
        });
    }

    get complaintNote() {
        const {complained} = this.results.tiles;
        return complained === 1
            ? _t("1 spam report")
            : _t("%s spam reports", formatInteger(complained));
    }

    get unconfirmedWords() {
        const {at, minutes} = this.results.unconfirmed;
        return _t(
            "They were handed over %(at)s, and no event came back within %(minutes)s minutes. They are never sent again by themselves.",
            {at: atWords(at), minutes}
        );
    }

    /** Whether anything happened in any of the hours: else the curve is an empty box. */
    get hasCurve() {
        return this.results.curve.some(
            ({opened, clicked, machine}) => opened || clicked || machine
        );
    }

    get unconfirmedTitle() {
        return _t("Not confirmed");
    }

    get unconfirmedCount() {
        return _t("%s not confirmed.", formatInteger(this.results.unconfirmed.count));
    }

    /** Of what was clicked or came back, the most is the whole length of a bar. */
    share(count, rows, name) {
        const most = Math.max(...rows.map((row) => row[name]));
        return most ? Math.round((100 * count) / most) : 0;
    }

    formatInteger(number) {
        return formatInteger(number);
    }

    ratio(count, base) {
        return ratioWords(count, base) || "–";
    }

    /** Whether far more of a domain comes back than of all. */
    isBad(row) {
        const {sent, tiles} = this.results;
        return (
            row.bounced > 1 &&
            row.bounced / row.sent > (2 * tiles.bounced) / sent + 0.01
        );
    }

    call(name, args = []) {
        const {resModel, resId} = this.props.record;
        return this.orm.call(resModel, name, [[resId], ...args]);
    }

    async open(kind, value, name) {
        const args = [kind, value, name];
        await this.action.doAction(
            await this.call("action_easycrm_view_recipients", args)
        );
    }

    sendAgain() {
        const {count} = this.results.unconfirmed;
        this.dialog.add(ConfirmationDialog, {
            title: _t("Send again to %s recipients?", formatInteger(count)),
            body: _t("Whoever got the mail without it being reported gets it twice."),
            confirmLabel: _t("Send again"),
            confirm: async () => {
                await this.call("action_easycrm_send_unconfirmed");
                await reloadUnlessDirty(this.props.record);
                await this.look();
            },
            cancel: () => false,
        });
    }
}

registry.category("view_widgets").add("easycrm_mailing_results", {
    component: MailingResults,
    fieldDependencies: [{name: "state", type: "selection", readonly: true}],
});
