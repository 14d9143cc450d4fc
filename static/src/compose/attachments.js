/** What goes along with an email that is being written: files of its own, uploads and files that are fetched. */

import {reactive} from "@odoo/owl";

import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {wordsOf} from "./compose_words";

const MODEL = "easycrm.email.compose";

export class Attachments {
    /** @param {import("./compose_model").ComposeModel} model the window that they go along with */
    constructor(model) {
        this.model = model;
        /** @type {{id: number, name: string, mimetype: string, size: number}[]} */
        this.files = [];
        /** Ids of all that have been here: the server does not bring back what was removed. */
        this.known = new Set();
        /** How many the record has that could go along, too. */
        this.documents = 0;
        /** Uploads under way: {id, name, mimetype, loaded, total, error, abort}. */
        this.uploads = [];
        /** Attachments of a forwarded email: those that are to come along, and those that are being fetched. */
        this.forwarded = [];
        this.fetching = [];
        this.fetchError = "";
    }

    /** @param {Object} window as the server hands it over */
    take({files, forwarded, documents}) {
        Object.assign(this, {files, forwarded, documents});
        this.know(files);
    }

    /** Takes what the server made of `saved`; what was uploaded meanwhile stays. */
    takeOver(window, saved) {
        const here = new Set([...saved, ...window.files].map(({id}) => id));
        const late = this.files.filter(({id}) => !here.has(id));
        this.take(window);
        this.files = [...this.files, ...late];
    }

    know(files) {
        for (const {id} of files) {
            this.known.add(id);
        }
    }

    /** Files that the server has added: what was uploaded or removed here meanwhile, it does not know. */
    add(files) {
        const fresh = files.filter(({id}) => !this.known.has(id));
        this.know(fresh);
        this.files = [...this.files, ...fresh];
    }

    get size() {
        const files = [...this.files, ...this.uploads, ...this.fetching];
        return files.reduce((sum, file) => sum + (file.size || file.total || 0), 0);
    }

    get isUploading() {
        return this.uploads.some(({error}) => !error) || this.fetching.length > 0;
    }

    removeFile(file) {
        this.files = this.files.filter(({id}) => id !== file.id);
        this.model.change();
    }

    // --- from the computer ---

    /** @param {Iterable<File>} files */
    async addFiles(files) {
        await Promise.all([...files].map((file) => this.upload(file)));
    }

    upload(file) {
        const upload = reactive({
            id: `upload_${file.name}_${Math.random()}`,
            name: file.name,
            mimetype: file.type,
            total: file.size,
            loaded: 0,
            error: "",
        });
        this.uploads = [...this.uploads, upload];
        const form = new FormData();
        form.append("csrf_token", odoo.csrf_token);
        form.append("model", MODEL);
        form.append("id", this.model.id);
        form.append("ufile", file);
        const xhr = new browser.XMLHttpRequest();
        upload.abort = () => xhr.abort();
        return new Promise((resolve) => {
            xhr.upload.addEventListener("progress", (ev) => {
                upload.loaded = Math.min(ev.loaded, upload.total);
            });
            xhr.addEventListener("load", () => {
                this.takeUploaded(upload, xhr);
                resolve();
            });
            xhr.addEventListener("error", () => {
                upload.error = _t("It could not be uploaded.");
                resolve();
            });
            xhr.addEventListener("abort", () => {
                this.dropUpload(upload);
                resolve();
            });
            xhr.open("POST", "/web/binary/upload_attachment");
            xhr.send(form);
        });
    }

    takeUploaded(upload, xhr) {
        let answer;
        try {
            [answer] = JSON.parse(xhr.responseText);
        } catch {
            answer = {error: true};
        }
        if (xhr.status === 413) {
            upload.error = _t("This file is larger than this server takes.");
        } else if (xhr.status !== 200 || answer.error) {
            upload.error = _t("It could not be uploaded.");
        } else {
            this.dropUpload(upload);
            const {id, mimetype, size} = answer;
            this.add([{id, name: upload.name, mimetype, size}]);
            this.model.change();
        }
    }

    dropUpload(upload) {
        this.uploads = this.uploads.filter(({id}) => id !== upload.id);
    }

    removeUpload(upload) {
        if (upload.error) {
            this.dropUpload(upload);
        } else {
            upload.abort();
        }
    }

    abortUploads() {
        for (const upload of this.uploads) {
            upload.abort?.();
        }
    }

    // --- from the forwarded email, from the record ---

    /** The forwarded email's own attachments come along, each as soon as it is here. */
    async takeForwarded() {
        this.fetching = this.forwarded;
        this.forwarded = [];
        for (const file of [...this.fetching]) {
            if (this.model.isClosed) {
                return;
            }
            try {
                await this.model.callOwn("easycrm_take_files", [[file.id]], (files) =>
                    this.addForwarded(files)
                );
            } catch (error) {
                this.fetchError = wordsOf(error);
            }
            this.fetching = this.fetching.filter(({id}) => id !== file.id);
        }
    }

    addForwarded(files) {
        // (also if the window was closed: a save that still waits must hold what is taken)
        this.add(files);
        // (where nothing was written, there is no draft for them; one that is opened
        // again has those fetched that it does not hold)
        const isDraft = this.model.outgoingId || this.model.draft !== "saved";
        if (isDraft && !this.model.isClosed) {
            this.model.change();
        }
    }

    getDocuments() {
        return this.model.callOwn("easycrm_get_documents");
    }

    async takeDocuments(ids) {
        await this.model.save();
        await this.model.callOwn("easycrm_take_documents", [ids], (files) =>
            this.add(files)
        );
        this.model.change();
    }
}
