import itertools
import re
from urllib.parse import urlsplit

from lxml import etree, html
from markupsafe import Markup

from odoo import api, models, tools
from odoo.http import request

from ..messages import has_many_attributes, introduces_quote
from .body_urls import BodyUrls

#: The frame has no scripts and an origin of ours, for its inline images; this keeps it
#: from fetching anything else. `%s` is what images may come from.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src %s"
)

#: The frame's document: its policy, its style and the body.
FRAME_DOCUMENT = Markup(
    '<!DOCTYPE html><html><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="%s">'
    '<meta name="referrer" content="no-referrer">'
    '<base target="_blank"><style>%s</style></head><body>%s</body></html>'
)

#: What the frame's document looks like: the mail's own look, on paper.
FRAME_STYLE = """
:root { color-scheme: light; }
body { margin: 0; font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
       "Noto Sans", Arial, sans-serif; color: #212529; background: #fff;
       overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
table { max-width: 100%; }
pre { white-space: pre-wrap; }
p { margin: 0 0 .75em; }
p.MsoNormal { margin: 0; }
blockquote { margin: .5em 0; padding-inline-start: 1em; color: #495057;
             border-inline-start: 2px solid #ced4da; }
html:not(.o_easycrm_quoted) [data-o-mail-quote] { display: none !important; }
"""

#: Characters of HTML that are rendered; of more, the text is shown.
HTML_LENGTH = 1_000_000

#: A style attribute longer than any that a mail program writes.
LONG_STYLE = re.compile(
    r"""\bstyle\s{0,9}=\s{0,9}(?:"[^"]{3000,}"|'[^']{3000,}'|[^\s"'>]{3000,})""",
    re.IGNORECASE,
)

#: A tag that is never closed. Parsing takes as long as their number squared.
UNCLOSED = re.compile(r"<[^<>]*(?=<)")
MOST_UNCLOSED = 100

#: What core takes out of the source before it parses it.
TAKEN_OUT = (
    re.compile(r"""(<[^>]*\s)(encoding=(["'][^"']*?["']|[^\s\n\r>]+)(\s[^>]*|/)?>)"""),
    re.compile(r"</?o:.*?>"),
)

#: What is looked at of a block to tell whether it is the head of a quoted mail.
NODES_OF_A_HEAD, LENGTH_OF_A_HEAD = 60, 2000

#: A mark within a tag; within text it is just text.
QUOTE_MARK = re.compile(r'<[^<>]*\sdata-o-mail-quote="')

#: One quoted line of a plain text mail.
QUOTED_LINE = re.compile(r"^\s?>")


class EasycrmEmail(models.Model):
    """How a body is shown: sanitised, and nothing from outside until asked for."""

    _inherit = "easycrm.email"

    @api.depends_context("uid", "su", "allowed_company_ids")
    @api.depends("content_ids.body_html_raw", "content_ids.body_text")
    def _compute_body_html(self):
        for email in self:
            email.body_html = email._render_body()[0]

    def easycrm_body(self, remote=False):
        """Return the body as a document for a sandboxed frame.

        :param bool remote: let images come from elsewhere
        :return: dict with `document` (str), `has_quote` (bool), `remote_hosts`
            (list of str) and `remote_count` (int)
        :raise AccessError: the body is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        body, hosts = self._render_body(remote)
        if remote:
            # These hosts and no other, not this one above all: one of them could send
            # the reader's browser, which is signed in here, to any path.
            images = " ".join(["data:", *(f"{host}:*" for host in sorted(set(hosts)))])
        else:
            images = f"data: {self._get_attachment_source()}"
        return {
            "document": self._get_frame_document(body, images),
            "has_quote": bool(QUOTE_MARK.search(body)),
            "remote_hosts": sorted(set(hosts)),
            "remote_count": len(hosts),
        }

    @api.model
    def _get_frame_document(self, body, images):
        """Return a body that was sanitised as a document for a sandboxed frame.

        :param Markup body:
        :param str images: where they may come from, for the frame's policy
        """
        return FRAME_DOCUMENT % (CONTENT_POLICY % images, Markup(FRAME_STYLE), body)

    @api.model
    def _get_renderable(self, body):
        """Return what is to be sanitised of this HTML.

        Nothing if that would take a reader's request, or a worker for minutes.
        """
        if len(body) > HTML_LENGTH:
            return ""
        unclosed = itertools.islice(UNCLOSED.finditer(body), MOST_UNCLOSED + 1)
        if sum(1 for _tag in unclosed) > MOST_UNCLOSED or has_many_attributes(body):
            return ""
        # (its expressions for styles are slow on ones that no mail has)
        body = LONG_STYLE.sub("", body)
        taken = 0
        for pattern in TAKEN_OUT:
            body, count = pattern.subn("", body)
            taken += count
        # (taking out more would make one tag of several that were looked at)
        if taken and any(pattern.search(body) for pattern in TAKEN_OUT):
            return ""
        # (neither is a space to all parsers)
        body = body.replace("\f", " ").replace("\v", " ")
        return "" if has_many_attributes(body) else body

    def _render_body(self, remote=False):
        """Return the sanitised body, and the hosts of the remote images it asks for.

        :param bool remote: leave those images in
        :return: (Markup, list of str, one for each image)
        """
        self.ensure_one()
        content = self.env["easycrm.email.content"].search(
            [("email_id", "=", self.id)], limit=1
        )
        body = self._get_renderable(content.body_html_raw or "")
        if not body:
            return self._render_text(content.body_text or ""), []
        clean = tools.html_sanitize(
            body,
            sanitize_attributes=True,
            sanitize_style=True,
            sanitize_form=True,
        )
        if not clean.strip():
            return self._render_text(content.body_text or ""), []
        root = html.fragment_fromstring(str(clean), create_parent="div")
        images = {
            line.content_id: line._get_image_url(remote)
            for line in self.attachment_line_ids
            if line.content_id
        }
        urls = BodyUrls(self._get_own_hosts(), images, remote)
        urls.clean(root)
        if root.find(".//img") is None and not root.text_content().strip():
            return self._render_text(content.body_text or ""), []
        if root.find(".//*[@data-o-mail-quote]") is None:
            self._mark_quoted_mail(root)
        body = html.tostring(root, encoding="unicode")
        return Markup(body), urls.hosts

    @api.model
    def _get_attachment_source(self):
        """Return the one path of this server that the frame may ask for."""
        base = request.httprequest.host_url if request else self.get_base_url()
        return f"{urlsplit(base).netloc}/easycrm_mail/attachment/"

    @api.model
    def _get_own_hosts(self):
        """Return the names under which this server is known."""
        own = {urlsplit(self.get_base_url()).hostname}
        if request:
            own.add(urlsplit(request.httprequest.host_url).hostname)
        return own

    @api.model
    def _mark_quoted_mail(self, root):
        """Mark a mail that is quoted in full below the answer, as Outlook does it.

        Core marks the quotes of programs that name them; Outlook only writes the head
        of the mail ("From: ... Sent: ...") in the midst of its own paragraphs.
        """
        for element in root.iter("p", "div"):
            lines = self._get_lines_of(element)
            if len(lines) < 2 or not introduces_quote(lines, 0):
                continue
            tail, visible = [element], False
            while element is not root:
                tail += element.itersiblings()
                before = (
                    e.text_content() for e in element.itersiblings(preceding=True)
                )
                visible = visible or any(text.strip() for text in before)
                element = element.getparent()
            if visible:  # else nothing would be left: it is a forwarded mail
                for quoted in tail:
                    quoted.set("data-o-mail-quote", "1")
            return

    @api.model
    def _get_lines_of(self, element):
        """Return the first lines of an innermost block's text, or nothing.

        Only its beginning is looked at: the whole costs a walk a block.
        """
        parts = []
        walk = etree.iterwalk(element, events=("start", "end"))
        for event, node in itertools.islice(walk, NODES_OF_A_HEAD):
            if event == "start":
                if node.tag in ("p", "div") and node is not element:
                    return []
                # (a newline in the source is white space, <br> is one that is seen)
                text = "\n" if node.tag == "br" else node.text
            else:
                text = node.tail if node is not element else ""
            text = (text or "")[:LENGTH_OF_A_HEAD]
            parts.append(text if text == "\n" else " ".join(text.split("\n")))
        lines = "".join(parts).split("\n")
        return [line.strip() for line in lines if line.strip()][:4]

    @api.model
    def _render_text(self, text):
        """Return plain text as HTML, its quoted tail marked like that of HTML mail."""
        lines = text.splitlines()
        stripped = [line.strip() for line in lines]
        tail, written = len(lines), False
        for number, line in enumerate(stripped):
            if written and line and introduces_quote(stripped, number):
                tail = number
                break
            written = written or bool(line)
        blocks, quoted = [], None
        for number, line in enumerate(lines):
            is_quote = number >= tail or bool(QUOTED_LINE.match(line))
            if quoted is not is_quote:
                blocks.append((is_quote, []))
                quoted = is_quote
            blocks[-1][1].append(line)
        parts = []
        for is_quote, lines in blocks:
            if is_quote:
                lines = [QUOTED_LINE.sub("", line).removeprefix(" ") for line in lines]
            body = tools.mail.plaintext2html("\n".join(lines))
            parts.append(
                Markup('<blockquote data-o-mail-quote="1">%s</blockquote>') % body
                if is_quote
                else Markup(body)
            )
        return Markup("").join(parts)
