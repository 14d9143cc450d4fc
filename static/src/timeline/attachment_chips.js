import {Component, useState} from "@odoo/owl";

import {useFileViewer} from "@web/core/file_viewer/file_viewer_hook";
import {_t} from "@web/core/l10n/translation";
import {fileIcon, fileSize} from "./timeline_words";

/** What Odoo's viewer shows without running anything of the file's own. */
const VIEWABLE = /^(image\/(bmp|gif|jpeg|png|webp)|application\/pdf)$/;

/** Attachments as chips: a click opens them, in Odoo's viewer where it can, else in a tab of their own. */
export class AttachmentChips extends Component {
    static template = "easycrm_mail.AttachmentChips";
    static props = {attachments: Array, limit: {type: Number, optional: true}};

    setup() {
        this.viewer = useFileViewer();
        this.state = useState({all: false});
    }

    get chips() {
        const {attachments, limit} = this.props;
        const shown =
            limit && !this.state.all ? attachments.slice(0, limit) : attachments;
        return shown.map((attachment) => ({
            ...attachment,
            ...fileIcon(attachment.mimetype),
            sizeWords: fileSize(attachment.size),
        }));
    }

    get hidden() {
        return this.props.attachments.length - this.chips.length;
    }

    get hiddenTitle() {
        return _t("Show %s more attachments", this.hidden);
    }

    onOpen(ev, attachment) {
        const ownTab = ev.ctrlKey || ev.metaKey || ev.shiftKey || ev.button;
        if (ownTab || !VIEWABLE.test(attachment.mimetype)) {
            return;
        }
        ev.preventDefault();
        const files = this.props.attachments
            .filter(({mimetype}) => VIEWABLE.test(mimetype))
            .map((file) => this.viewerFile(file));
        this.viewer.open(
            files.find(({id}) => id === attachment.id),
            files
        );
    }

    viewerFile({id, name, mimetype, url}) {
        const isPdf = mimetype === "application/pdf";
        return {
            ...{id, name, mimetype, isPdf},
            isImage: !isPdf,
            isViewable: true,
            downloadUrl: url,
            defaultSource: isPdf
                ? `/web/static/lib/pdfjs/web/viewer.html?file=${encodeURIComponent(url)}#pagemode=none`
                : url,
        };
    }
}
