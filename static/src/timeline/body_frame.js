import { Component, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";

/** Set on the frame's root element to show the quoted text that its own style hides. */
const QUOTE_SHOWN = "o-mail-quote-shown";

/**
 * A mail's body: a document of the server's making in a frame that runs no scripts. The frame is as high as what it
 * holds, so that there is one scroll only; what is too wide scrolls sideways within it.
 */
export class BodyFrame extends Component {
    static template = "easycrm_mail.BodyFrame";
    static props = { document: String, quoteShown: { type: Boolean, optional: true } };

    setup() {
        this.frame = useRef("frame");
        this.state = useState({ loaded: false });
        useEffect(
            (quoteShown, loaded) => {
                if (loaded) {
                    this.inner.documentElement.classList.toggle(QUOTE_SHOWN, Boolean(quoteShown));
                    this.fit();
                }
            },
            () => [this.props.quoteShown, this.state.loaded]
        );
        onWillUnmount(() => this.observer?.disconnect());
    }

    get inner() {
        return this.frame.el.contentDocument;
    }

    onLoad() {
        const { documentElement: root, body } = this.inner;
        this.takeColours(root);
        // Whatever the mail's own style says, its height follows its content.
        for (const element of [root, body]) {
            element.style.setProperty("height", "auto", "important");
            element.style.setProperty("min-height", "0", "important");
        }
        root.style.setProperty("overflow", "auto hidden", "important");
        root.classList.toggle(QUOTE_SHOWN, Boolean(this.props.quoteShown));
        this.observer?.disconnect();
        this.observer = new ResizeObserver(() => this.fit());
        this.observer.observe(root);
        this.observer.observe(body);
        this.inner.addEventListener("keydown", (ev) => this.passOn(ev));
        this.fit();
        this.state.loaded = true;
    }

    /** The frame's text wears the colours around it; the document's own style says where they go. */
    takeColours(root) {
        const style = getComputedStyle(this.frame.el);
        root.style.setProperty("--o-mail-color", style.color);
        root.style.setProperty("--o-mail-font", style.fontFamily);
        root.style.setProperty("--o-mail-font-size", style.fontSize);
        root.style.setProperty("--o-mail-link", style.getPropertyValue("--o-easycrm-link"));
        root.style.setProperty("--o-mail-line", style.getPropertyValue("--o-easycrm-line"));
    }

    fit() {
        const inner = this.frame.el?.contentDocument;
        if (!inner?.body) {
            return;
        }
        const { documentElement: root, body } = inner;
        const scrollbar = inner.defaultView.innerHeight - root.clientHeight;
        const height = Math.max(root.offsetHeight, body.offsetTop + body.scrollHeight);
        this.frame.el.style.height = `${Math.ceil(height + scrollbar)}px`;
    }

    /** Keys pressed while the focus is in the frame work as if it were around it. */
    passOn(ev) {
        const { key, code, altKey, ctrlKey, metaKey, shiftKey } = ev;
        const copy = new KeyboardEvent("keydown", {
            ...{ key, code, altKey, ctrlKey, metaKey, shiftKey },
            bubbles: true,
            cancelable: true,
        });
        if (!this.frame.el.dispatchEvent(copy)) {
            ev.preventDefault();
        }
    }
}
