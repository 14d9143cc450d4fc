"""The text of an HTML body: for reading, searching and snippets, not for display.

One pass by hand: `html.parser` and regular expressions over the whole document are
quadratic on unclosed tags and comments, and mail is where those are sent on purpose.
"""

import re
from html import unescape

# The text of more HTML than this is not read; the HTML itself is kept.
MAX_HTML = 1_000_000
_MAX_QUOTE = 5
# How often a tag may fail to close its quotes before quotes are not looked at any more.
_QUOTE_FAILURES = 10

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*)")
_TAG_END = re.compile(r"""[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_NEWLINES = re.compile(r"\n{3,}")

_SILENT = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "title", "template", "xml")
}
_BLOCK_NAMES = """
address article aside body center dd div dl dt fieldset figcaption figure footer form
h1 h2 h3 h4 h5 h6 header hr li main nav ol pre section table tbody tfoot thead tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
# These stand apart from what is around them by an empty line.
_PARAGRAPHS = frozenset({"p", "blockquote", "h1", "h2", "h3"})


def html_to_text(html: str) -> str:
    """Plain text: blocks and <br> as newlines, quotes with "> ", scripts left out."""
    return _Writer(html[:MAX_HTML]).text()


class _Writer:
    """One pass over one document."""

    def __init__(self, html: str):
        self.html = html
        self.position = 0
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quote = 0
        self.quote_failures = 0

    def text(self) -> str:
        """The whole text."""
        html, size = self.html, len(self.html)
        while self.position < size:
            start = html.find("<", self.position)
            if start < 0:
                start = size
            if start > self.position:
                self._add(html[self.position : start])
            self.position = start
            if start < size:
                self._markup()
        self._break()
        return _NEWLINES.sub("\n\n", "\n".join(self.lines)).strip()

    def _markup(self) -> None:
        html, start = self.html, self.position
        tag = _TAG.match(html, start)
        if tag:
            self.position = self._tag_end(tag.end())
            self._tag(tag[2].lower(), bool(tag[1]))
        elif html.startswith("<!--", start):
            self._skip_to("-->", start + 2)
        elif html.startswith(("<!", "<?", "</"), start):
            self._skip_to(">", start + 1)
        else:
            self._add("<")
            self.position = start + 1

    def _skip_to(self, end: str, start: int) -> None:
        # What is not closed reaches to the end, as in a browser.
        at = self.html.find(end, start)
        self.position = at + len(end) if at >= 0 else len(self.html)

    def _tag_end(self, start: int) -> int:
        if self.quote_failures < _QUOTE_FAILURES:
            match = _TAG_END.match(self.html, start)
            if match:
                return match.end()
            self.quote_failures += 1
        at = self.html.find(">", start)
        return at + 1 if at >= 0 else len(self.html)

    def _tag(self, name: str, closes: bool) -> None:
        if name == "br":
            self._break(keep_empty=True)
        elif name in _PARAGRAPHS:
            self._break()
            quotes = name == "blockquote"
            if quotes and closes:
                self.quote = max(self.quote - 1, 0)
            self.lines.append(self._prefix().rstrip())
            if quotes and not closes:
                self.quote += 1
        elif name in _BLOCKS:
            self._break()
            if name == "li" and not closes:
                self.line.append("- ")
        elif name in ("td", "th"):
            self.line.append(" ")
        elif not closes and name in _SILENT:
            end = _SILENT[name].search(self.html, self.position)
            self.position = end.start() if end else len(self.html)

    def _add(self, text: str) -> None:
        self.line.append(unescape(text) if "&" in text else text)

    def _break(self, keep_empty: bool = False) -> None:
        text = _SPACE.sub(" ", "".join(self.line)).strip(" \xa0")
        self.line.clear()
        if text or keep_empty:
            self.lines.append(self._prefix() + text)

    def _prefix(self) -> str:
        return "> " * min(self.quote, _MAX_QUOTE)
