"""What a body may refer to: this email's own parts, links, and images once asked for.

Its reader's browser is signed in on this server: a mail must not have it ask for any
path here. Browsers read URLs and CSS more kindly than any parser here does, so what is
not plainly harmless goes.
"""

import re
import socket
from urllib.parse import unquote

from lxml import etree

#: Elements that show nothing in a frame like ours and are parsed in odd ways.
DROPPED = ("svg", "math", "video", "audio", "source", "track")

#: Attributes that have something fetched.
FETCHING = ("src", "srcset", "background", "poster", "lowsrc", "dynsrc", "data")

#: What a link may be.
LINK = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)

#: An absolute URL: scheme, user, host, port, and the rest.
ABSOLUTE = re.compile(
    r"(https?:)?//(?:[^/?#\s]*@)?([^/?#:@\s]+)(:\d*)?([/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)

#: A name as it stands in the DNS.
PLAIN_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)

#: A URL in CSS, without escapes.
CSS_URL = re.compile(
    r"""url\(\s*(?:"([^"\\]*)"|'([^'\\]*)'|([^"'()\\\s]*))\s*\)""", re.IGNORECASE
)

#: Characters of one CSS value: a longer one is made to be slow.
CSS_LENGTH = 2000

#: A length that follows the frame, whose height follows its content: it never ends.
VIEWPORT_UNIT = re.compile(r"\d(?:[sld]?v(?:[hwib]|min|max)|cq\w+)\b", re.IGNORECASE)

#: Functions of CSS that fetch nothing.
CSS_FUNCTIONS = {
    *("rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp"),
    *("linear-gradient", "radial-gradient"),
}


def canonical_host(host):
    """Return a host as browsers understand it, or an empty string for an odd one."""
    try:
        host = host.encode("idna").decode().lower().rstrip(".")
    except UnicodeError:
        return ""
    if not PLAIN_HOST.fullmatch(host):
        return ""
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]):
        # an IPv4 address, in one of its many spellings
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return ""
    return host


class BodyUrls:
    """Cleans the URLs of one sanitised body.

    :param own_hosts: the names of this server
    :param dict images: {Content-ID: URL} of this email's inline images
    :param bool remote: leave images from elsewhere in
    :ivar hosts: of the images from elsewhere, one for each
    """

    def __init__(self, own_hosts, images, remote):
        self.own_hosts = {canonical_host(host) for host in own_hosts if host}
        self.images = images
        self.remote = remote
        self.hosts = []

    def clean(self, root):
        etree.strip_elements(
            root, etree.Comment, etree.ProcessingInstruction, *DROPPED, with_tail=False
        )
        for element in root.iter(etree.Element):
            self._clean_attributes(element)
            if style := element.get("style"):
                element.set("style", self._clean_style(style))
            if "href" in element.attrib or element.tag == "a":
                self._clean_link(element)

    def _clean_attributes(self, element):
        if element.tag == "img":
            # (one by the name of "body" stands in the place of document.body)
            element.attrib.pop("name", None)
        for name in FETCHING:
            url = element.attrib.pop(name, "")
            kept = self._clean_url(url) if name == "src" else ""
            if kept:
                element.set(name, kept)

    def _clean_link(self, element):
        href = element.attrib.pop("href", "").strip()
        if element.tag in ("a", "area") and LINK.match(href):
            element.set("href", href)
        element.set("target", "_blank")
        element.set("rel", "noopener noreferrer nofollow")

    def _clean_style(self, style):
        kept = []
        for declaration in style.split(";"):
            value = declaration.partition(":")[2]
            if self._is_kept(value):
                kept.append(declaration.strip())
        return "; ".join(kept)

    def _is_kept(self, value):
        """Tell whether a CSS value stays, and note what it would fetch."""
        if len(value) > CSS_LENGTH or VIEWPORT_UNIT.search(value):
            return False
        rest = CSS_URL.sub(" ", value)
        functions = re.findall(r"([^\s,()]*)\(", rest.lower())
        # (an escape may spell the name of a function)
        if set(functions) - CSS_FUNCTIONS or "\\" in rest or "/*" in rest:
            return False
        # (each is looked at, not only up to the first that goes: all are counted)
        kept = [self._clean_url("".join(found)) for found in CSS_URL.findall(value)]
        return all(kept)

    def _clean_url(self, url):
        """Return the URL that an image may have, or an empty string."""
        # browsers leave these out wherever they stand
        url = re.sub(r"[\t\r\n]", "", url).strip()
        if url[:4].lower() == "cid:":
            name = url[4:].strip("<>")
            return self.images.get(name) or self.images.get(unquote(name), "")
        if url[:11].lower() == "data:image/":
            return url
        found = ABSOLUTE.fullmatch(url)
        if not found or "\\" in url:
            return ""
        scheme, host, port, path = found.groups("")
        host = canonical_host(host)
        if not host or host in self.own_hosts:
            return ""
        self.hosts.append(host)
        # as it was understood here, so that no browser understands it otherwise
        return f"{scheme.lower()}//{host}{port}{path}" if self.remote else ""
