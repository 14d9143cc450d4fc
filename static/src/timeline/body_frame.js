import { Component, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";

/** Set on the frame's root element to show the quoted text that its own style hides. */
const QUOTE_SHOWN = "o_easycrm_quoted";

/** Pixels: higher than any mail that somebody reads. */
const MAX_HEIGHT = 30000;

/** What tells that a mail brings colours of its own, made for white paper. */
const OWN_COLOURS = "[bgcolor], [color], [style*='color'], [style*='background']";

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
        this.takeColours(this.inner);
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

    /**
     * The mail's text wears the colours around it, in light and dark; a mail with colours of its own keeps its white
     * paper in the dark, where only parts of it would change.
     */
    takeColours({ documentElement: root, body, styleSheets: [sheet] }) {
        const style = getComputedStyle(this.frame.el);
        const variable = (name) => style.getPropertyValue(name);
        const rules = [`body { font-family: ${style.fontFamily}; }`];
        if (isLight(style.color) && body.querySelector(OWN_COLOURS)) {
            rules.push("body { padding: 8px 12px; }");
        } else {
            root.style.colorScheme = style.colorScheme;
            rules.push(
                `body { background: none; color: ${style.color}; }`,
                `a { color: ${variable("--link-color")}; }`,
                `blockquote { border-color: ${variable("--border-color")}; color: inherit; }`
            );
        }
        for (const rule of sheet ? rules : []) {
            sheet.insertRule(rule, sheet.cssRules.length);
        }
    }

    fit() {
        const inner = this.frame.el?.contentDocument;
        if (!inner?.body) {
            return;
        }
        const { documentElement: root, body } = inner;
        const scrollbar = inner.defaultView.innerHeight - root.clientHeight;
        const height = Math.max(root.offsetHeight, body.offsetTop + body.scrollHeight);
        // A mail that is made to be endless scrolls within its frame.
        const isEndless = height > MAX_HEIGHT;
        root.style.setProperty("overflow", isEndless ? "auto" : "auto hidden", "important");
        this.frame.el.style.height = `${Math.ceil(Math.min(height, MAX_HEIGHT) + scrollbar)}px`;
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

/** Whether a computed colour is nearer to white than to black: light text means a dark page. */
function isLight(color) {
    const [red, green, blue] = color.match(/[\d.]+/g).map(Number);
    return 0.299 * red + 0.587 * green + 0.114 * blue > 127;
}
