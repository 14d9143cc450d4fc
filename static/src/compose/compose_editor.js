import {Component, markup, onMounted, onWillUnmount, useRef} from "@odoo/owl";

import {DYNAMIC_PLACEHOLDER_PLUGINS} from "@html_editor/backend/plugin_sets";
import {ColumnPlugin} from "@html_editor/main/column_plugin";
import {VideoPlugin} from "@html_editor/main/media/video_plugin";
import {PowerButtonsPlugin} from "@html_editor/main/power_buttons_plugin";
import {YoutubePlugin} from "@html_editor/main/youtube_plugin";
import {MAIN_PLUGINS} from "@html_editor/plugin_sets";
import {Wysiwyg} from "@html_editor/wysiwyg";
import {HtmlMailField} from "@mail/views/web/fields/html_mail_field/html_mail_field";
import {localization} from "@web/core/l10n/localization";
import {_t} from "@web/core/l10n/translation";
import {MissingPlugin} from "./missing_plugin";

/** What no mail program shows, and a second row of the buttons that are here. */
const NOT_IN_MAILS = [ColumnPlugin, PowerButtonsPlugin, VideoPlugin, YoutubePlugin];

/** The buttons above the text: commands of Odoo's editor. */
const BUTTONS = [
    {command: "formatBold", icon: "fa-bold", title: _t("Bold")},
    {command: "formatItalic", icon: "fa-italic", title: _t("Italic")},
    {command: "formatUnderline", icon: "fa-underline", title: _t("Underline")},
    {command: "toggleListUL", icon: "fa-list-ul", title: _t("Bulleted list")},
    {command: "toggleListOL", icon: "fa-list-ol", title: _t("Numbered list")},
    {command: "openLinkTools", icon: "fa-link", title: _t("Link")},
    {command: "insertMedia", icon: "fa-picture-o", title: _t("Image")},
    {command: "addEmoji", icon: "fa-smile-o", title: _t("Emoji")},
    {command: "historyUndo", icon: "fa-undo", title: _t("Undo")},
];

/** What would look otherwise without our style sheets. */
const STYLED = "[class]:not(.o-signature-container, [class=''])";

const cssRules = new WeakMap();

/** The text of the email, in Odoo's editor. It is the window's model that keeps it. */
export class ComposeEditor extends Component {
    static template = "easycrm_mail.ComposeEditor";
    static components = {Wysiwyg};
    static props = {model: Object};

    setup() {
        this.root = useRef("root");
        this.buttons = BUTTONS;
        this.config = this.getConfig();
        onMounted(() => this.lock());
        onWillUnmount(() => {
            const {model} = this.props;
            if (model.editor === this) {
                model.body = this.getContent();
                model.editor = null;
            }
        });
    }

    getConfig() {
        const {model} = this.props;
        const plugins = MAIN_PLUGINS.filter((plugin) => !NOT_IN_MAILS.includes(plugin));
        if (model.isMany) {
            plugins.push(...DYNAMIC_PLACEHOLDER_PLUGINS);
        }
        return {
            content: markup(model.body),
            Plugins: [...plugins, MissingPlugin],
            classList: ["o_easycrm_text"],
            baseContainers: ["P"],
            placeholder: _t("Write your email…"),
            direction: localization.direction || "ltr",
            allowVideo: false,
            allowFile: false,
            allowChecklist: false,
            dropImageAsAttachment: false,
            dynamicPlaceholder: model.isMany,
            dynamicPlaceholderResModel: model.isMany && model.records[0].model,
            getRecordInfo: () => ({resModel: "easycrm.email.compose", resId: model.id}),
            onChange: () => model.onText(),
            resources: {},
        };
    }

    onLoad(editor) {
        this.editor = editor;
        this.props.model.editor = this;
    }

    /** What is the template's own is shown, and cannot be written in. */
    lock() {
        if (this.props.model.bodyLocked) {
            this.editor.editable.setAttribute("contenteditable", "false");
        }
    }

    run(command) {
        this.editor.shared.selection.focusEditable();
        this.editor.shared.userCommand.getCommand(command).run();
    }

    /** Puts the caret before the text, where an answer begins. */
    focusStart() {
        const {editable, shared} = this.editor;
        shared.selection.focusEditable();
        shared.selection.setCursorStart(editable.firstElementChild || editable);
    }

    /** The text as it is being written. */
    getContent() {
        return this.editor.editable ? this.editor.getContent() : this.props.model.body;
    }

    /** The text as a mail program shows it. What has a look of the editor's own gets it written down. */
    async getMailContent() {
        const content = this.editor.getElContent();
        if (!content.querySelector(STYLED)) {
            return content.innerHTML;
        }
        await HtmlMailField.getInlinedEditorContent(cssRules, this.editor, content);
        return content.innerHTML;
    }

    /** The values that are still missing. */
    getMissing() {
        const {editable} = this.editor;
        return editable ? [...editable.querySelectorAll(".o_easycrm_missing")] : [];
    }

    showMissing() {
        const [mark] = this.getMissing();
        if (mark) {
            mark.scrollIntoView({block: "center"});
            this.editor.shared.selection.focusEditable();
            this.editor.shared.selection.setSelection({
                anchorNode: mark,
                anchorOffset: 0,
                focusNode: mark,
                focusOffset: mark.childNodes.length,
            });
        }
    }
}
