import {Component, onWillUnmount, useEffect, useRef, useState} from "@odoo/owl";

/** Set on the frame's root element to show the quoted text that its own style hides. */
const QUOTE_SHOWN = "o_easycrm_quoted";

/** Pixels: higher than any mail that somebody reads. */
const MAX_HEIGHT = 30000;

/** What tells that a mail brings colours of its own, made for white paper. */
const OWN_COLOURS = "[bgcolor], [color], [style*='color'], [style*='background']";

/** An image that is held back or could not be loaded, and its words in a quiet box instead. */
const MISSING = "o_easycrm_missing";
const MISSING_WORDS = "o_easycrm_missing_words";
const MISSING_RULES = [
    `.${MISSING} { display: none !important; }`,
    `.${MISSING_WORDS} { display: inline-block; max-width: 100%; padding: 0 6px; border: 1px dashed;
        border-radius: 4px; font: 12px/1.5 sans-serif; opacity: 0.7; }`,
];

/** A width or height that nobody sees. */
const PIXELS = /^[0-2](px)?$/;

/** What is seen though it has no text. */
const SEEN = "img, hr, table, [bgcolor], [style*='background'], [style*='border']";

/** What the server has marked as quoted from earlier mails. */
const QUOTED = "[data-o-mail-quote]";

/** Empty lines between a mail's text and the quoted text that is folded; and the end of that text. */
const BLANK = "o_easycrm_blank";
const END = "o_easycrm_end";
const BLANK_RULES = [
    `html:not(.${QUOTE_SHOWN}) .${BLANK} { display: none !important; }`,
    `html:not(.${QUOTE_SHOWN}) .${END} { margin-bottom: 0 !important; }`,
];

/**
 * A mail's body: a document of the server's making in a frame that runs no scripts. The frame is as high as what it
 * holds, so that there is one scroll only; what is too wide scrolls sideways within it.
 */
export class BodyFrame extends Component {
    static template = "easycrm_mail.BodyFrame";
    static props = {
        document: String,
        quoteShown: {type: Boolean, optional: true},
        // called with the number of images that could not be loaded
        onMissing: {type: Function, optional: true},
    };

    setup() {
        this.frame = useRef("frame");
        this.state = useState({loaded: false});
        useEffect(
            (quoteShown, loaded) => {
                if (loaded) {
                    this.inner.documentElement.classList.toggle(
                        QUOTE_SHOWN,
                        Boolean(quoteShown)
                    );
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
        const {documentElement: root, body} = this.inner;
        this.addRules([
            ...this.takeColours(this.inner),
            ...MISSING_RULES,
            ...BLANK_RULES,
        ]);
        this.props.onMissing?.(markMissing(body));
        markBlankEnd(body);
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
     *
     * @returns {string[]} CSS rules
     */
    takeColours({documentElement: root, body}) {
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
        return rules;
    }

    addRules(rules) {
        const [sheet] = this.inner.styleSheets;
        for (const rule of sheet ? rules : []) {
            sheet.insertRule(rule, sheet.cssRules.length);
        }
    }

    fit() {
        const inner = this.frame.el?.contentDocument;
        if (!inner?.body) {
            return;
        }
        const {documentElement: root, body} = inner;
        const scrollbar = inner.defaultView.innerHeight - root.clientHeight;
        const height = Math.max(root.offsetHeight, body.offsetTop + body.scrollHeight);
        // A mail that is made to be endless scrolls within its frame.
        const isEndless = height > MAX_HEIGHT;
        root.style.setProperty(
            "overflow",
            isEndless ? "auto" : "auto hidden",
            "important"
        );
        this.frame.el.style.height = `${Math.ceil(Math.min(height, MAX_HEIGHT) + scrollbar)}px`;
    }

    /** Keys pressed while the focus is in the frame work as if it were around it. */
    passOn(ev) {
        const {key, code, altKey, ctrlKey, metaKey, shiftKey} = ev;
        const copy = new KeyboardEvent("keydown", {
            ...{key, code, altKey, ctrlKey, metaKey, shiftKey},
            bubbles: true,
            cancelable: true,
        });
        if (!this.frame.el.dispatchEvent(copy)) {
            ev.preventDefault();
        }
    }
}

/**
 * Puts their words in the place of the images that are not there; those too small to be seen are nobody's loss.
 *
 * @returns {number} how many of them were asked for in vain
 */
function markMissing(body) {
    let count = 0;
    for (const image of body.querySelectorAll("img")) {
        const isAsked = image.hasAttribute("src");
        if (isAsked && (!image.complete || image.naturalWidth)) {
            continue;
        }
        image.classList.add(MISSING);
        if (isPixel(image)) {
            continue;
        }
        count += Number(isAsked);
        if (image.alt.trim()) {
            const words = body.ownerDocument.createElement("span");
            words.className = MISSING_WORDS;
            words.textContent = image.alt;
            image.before(words);
        }
    }
    return count;
}

/** Whether an image is there to be counted, not to be seen. */
function isPixel({attributes, style}) {
    const sizes = [
        attributes.width?.value,
        attributes.height?.value,
        style.width,
        style.height,
    ];
    return style.display === "none" || sizes.some((size) => PIXELS.test(size));
}

/** Marks what is empty at the end of a part of the mail, up to where its own text ends. */
function markBlankEnd(part) {
    for (const node of [...part.childNodes].reverse()) {
        const isElement = node.nodeType === Node.ELEMENT_NODE;
        if (isElement && node.matches(QUOTED)) {
            continue;
        }
        if (isElement && node.querySelector(QUOTED) && isQuotedOnly(node)) {
            node.classList.add(BLANK);
            continue;
        }
        if (
            node.textContent.trim() ||
            node.querySelector?.(SEEN) ||
            node.matches?.(SEEN)
        ) {
            if (isElement) {
                node.classList.add(END);
                markBlankEnd(node);
            }
            return;
        }
        if (isElement) {
            node.classList.add(BLANK);
        }
    }
}

/** Whether quoted text is all that is seen of it: folded, only the line that Outlook draws above that would be left. */
function isQuotedOnly(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) {
        return !node.textContent.trim();
    }
    return (
        node.matches(QUOTED) ||
        (!node.matches("img, hr, table") && [...node.childNodes].every(isQuotedOnly))
    );
}

/** Whether a computed colour is nearer to white than to black: light text means a dark page. */
function isLight(color) {
    const [red, green, blue] = color.match(/[\d.]+/g).map(Number);
    return 0.299 * red + 0.587 * green + 0.114 * blue > 127;
}
