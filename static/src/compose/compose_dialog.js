import {
    Component,
    onMounted,
    onWillStart,
    onWillUnmount,
    reactive,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";

import {Dialog} from "@web/core/dialog/dialog";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {useDropzone} from "@web/core/dropzone/dropzone_hook";
import {_t} from "@web/core/l10n/translation";
import {useChildRef, useService} from "@web/core/utils/hooks";
import {ConnectWays} from "../account/connect_ways";
import {BodyFrame} from "../timeline/body_frame";
import {ComposeEditor} from "./compose_editor";
import {ComposeFiles} from "./compose_files";
import {ComposeModel} from "./compose_model";
import {
    PROVIDERS,
    RECORD_ICONS,
    draftWords,
    fromWords,
    laterTimes,
    missingWords,
    selectionWords,
} from "./compose_words";
import {LaterDialog} from "./later_dialog";
import {RecipientsInput} from "./recipients_input";
import {TemplateMenu} from "./template_menu";

/** Send Email: a window over whatever it was opened from. Closing it keeps what was written. */
export class ComposeDialog extends Component {
    static template = "easycrm_mail.ComposeDialog";
    static components = {
        BodyFrame,
        ComposeEditor,
        ComposeFiles,
        ConnectWays,
        Dialog,
        Dropdown,
        DropdownItem,
        RecipientsInput,
        TemplateMenu,
    };
    static props = {
        /** What it is opened from, see `easycrm.email.compose.default_get`. */
        context: Object,
        /** A window of the server's that is shown again, in place of the context. */
        window: {type: Object, optional: true},
        /** Called with what was queued, see `easycrm_send`, and the model. */
        onSent: Function,
        onDiscarded: Function,
        /** Called when it is closed with something written, or not planned any more. */
        onKept: Function,
        /** It would have left by itself before it was opened. */
        wasPlanned: {type: Boolean, optional: true},
        close: Function,
    };

    setup() {
        this.ui = useService("ui");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.model = useState(
            reactive(new ComposeModel(this.env.services.orm, this.props.context))
        );
        this.state = useState({cc: false, bcc: false, quoteShown: false});
        this.modal = useChildRef();
        this.body = useRef("body");
        this.providers = PROVIDERS;
        this.env.dialogData.dismiss = () => this.keep();
        onWillStart(() => this.load());
        onMounted(() => this.focusFirst());
        // Whatever closes it, what is written is kept.
        onWillUnmount(() => {
            this.model.save();
            this.model.isClosed = true;
        });
        useExternalListener(document, "visibilitychange", () => this.model.save());
        useExternalListener(window, "beforeunload", (ev) => {
            const isKept = this.model.draft === "saved" && !this.model.typed.isReading;
            if (!isKept && !this.model.isDone) {
                this.model.save();
                ev.preventDefault();
            }
        });
        useDropzone(
            this.body,
            (ev) => this.model.attachments.addFiles([...ev.dataTransfer.files]),
            "o_easycrm_dropzone"
        );
    }

    async load() {
        if (this.props.window) {
            this.model.takeWindow(this.props.window);
            this.model.status = "ready";
            this.model.attachments.takeForwarded();
            if (this.props.window.is_unsaved) {
                this.model.change();
            }
        } else {
            await this.model.load();
        }
        if (this.model.status === "ready") {
            const {cc, bcc} = this.model.recipients;
            this.state.cc = Boolean(cc?.length);
            this.state.bcc = Boolean(bcc?.length);
        }
    }

    get title() {
        switch (this.model.replyKind) {
            case "reply":
                return _t("Reply");
            case "reply_all":
                return _t("Reply to all");
            case "forward":
                return _t("Forward");
        }
        return _t("Send Email");
    }

    get record() {
        return this.model.isMany ? undefined : this.model.records[0];
    }

    get recordIcon() {
        return RECORD_ICONS[this.record.kind];
    }

    get draftWords() {
        return this.model.savedAt ? draftWords(this.model.savedAt) : "";
    }

    get fromWords() {
        return fromWords(this.model.from);
    }

    get senderWords() {
        return this.model.sender?.email_from || _t("Choose");
    }

    takeOutWords({name}) {
        return _t("Take out %s", name);
    }

    addressWords({address}) {
        return address || _t("It has no email address.");
    }

    get missingWords() {
        return missingWords(this.model.missing);
    }

    get selectionWords() {
        return selectionWords(this.model.records);
    }

    get laterTimes() {
        return laterTimes(luxon.DateTime.local());
    }

    /** What is to be written first takes the focus: to whom, what about, or the text. */
    get focusTo() {
        return !this.model.hasRecipients && !this.ui.isSmall;
    }

    focusFirst() {
        if (this.model.status !== "ready" || this.focusTo || this.ui.isSmall) {
            return;
        }
        if (this.model.subject) {
            this.model.editor.focusStart();
        } else {
            this.body.el.querySelector(".o_easycrm_subject_input").focus();
        }
    }

    showRole(role) {
        this.state[role] = true;
    }

    dropQuote() {
        this.model.quote = false;
        this.model.quoteKept = false;
        this.model.change();
    }

    openRecord(ev) {
        const {model, id} = this.record;
        ev.preventDefault();
        this.close().then(() =>
            this.action.doAction({
                type: "ir.actions.act_window",
                res_model: model,
                res_id: id,
                views: [[false, "form"]],
            })
        );
    }

    toggleTracking(ev) {
        this.model.trackOpens = ev.target.checked;
        this.model.change();
    }

    async send(scheduledAt = false) {
        const queued = await this.model.send(scheduledAt);
        if (queued) {
            this.props.onSent(queued, this.model);
            this.props.close();
        } else if (this.model.missing.length) {
            this.model.editor?.showMissing();
        }
    }

    chooseTime() {
        this.dialog.add(LaterDialog, {onChosen: (at) => this.send(at)});
    }

    /** What is written is kept, and may be gone on with. */
    async keep() {
        await this.model.typed.takeAll();
        const isWritten = this.model.draft !== "saved";
        await this.model.save();
        if (isWritten || (this.props.wasPlanned && this.model.status === "ready")) {
            this.props.onKept(this.model);
        }
    }

    async close() {
        await this.keep();
        this.props.close();
    }

    discard() {
        this.props.onDiscarded(this.model);
        this.props.close();
    }
}
