import {Component, useRef, useState} from "@odoo/owl";

import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {fileIcon, fileSize} from "../timeline/timeline_words";
import {sizeWords, tooLargeWords, wordsOf} from "./compose_words";

/** What goes along, what is still on its way up, and how much of it there may be. */
export class ComposeFiles extends Component {
    static template = "easycrm_mail.ComposeFiles";
    static components = {Dropdown, DropdownItem};
    static props = {model: Object};

    setup() {
        this.input = useRef("input");
        this.state = useState({documents: [], isLoading: false});
    }

    get attachments() {
        return this.props.model.attachments;
    }

    get chips() {
        const {files, uploads, fetching} = this.attachments;
        return [
            ...files.map((file) => ({
                ...file,
                key: `file_${file.id}`,
                words: fileSize(file.size),
                url: `/web/content/${file.id}?download=true`,
                onRemove: () => this.attachments.removeFile(file),
            })),
            ...fetching.map((file) => ({
                ...file,
                key: `mail_${file.id}`,
                words: _t("being fetched…"),
            })),
            ...uploads.map((upload) => ({
                ...upload,
                key: upload.id,
                words:
                    upload.error ||
                    _t("%(loaded)s of %(total)s", {
                        loaded: fileSize(upload.loaded),
                        total: fileSize(upload.total),
                    }),
                percent: upload.total ? (100 * upload.loaded) / upload.total : 0,
                isUpload: true,
                onRemove: () => this.attachments.removeUpload(upload),
            })),
        ].map((chip) => ({...chip, ...fileIcon(chip.mimetype)}));
    }

    get documentWords() {
        return _t("From this record (%s)", this.attachments.documents);
    }

    get hasSize() {
        return this.props.model.limit && this.chips.length > 0;
    }

    get sizeWords() {
        const {size, limit, sender} = this.props.model;
        return sizeWords(size, limit, sender.provider);
    }

    get tooLargeWords() {
        const {size, limit, sender} = this.props.model;
        return tooLargeWords(size, limit, sender.provider);
    }

    get percent() {
        const {size, limit} = this.props.model;
        return Math.min(100, (100 * size) / limit);
    }

    takeOffWords({name}) {
        return _t("Take off %s", name);
    }

    onChoose(ev) {
        this.attachments.addFiles([...ev.target.files]);
        ev.target.value = "";
    }

    async loadDocuments() {
        this.state.isLoading = true;
        this.state.documents = await this.attachments.getDocuments().catch(() => []);
        this.state.isLoading = false;
    }

    async takeDocument(file) {
        try {
            await this.attachments.takeDocuments([file.id]);
        } catch (error) {
            this.props.model.problem = wordsOf(error);
        }
    }

    documentIcon(file) {
        return fileIcon(file.mimetype).icon;
    }

    fileSize(size) {
        return fileSize(size);
    }
}
