"""A body is shown without anything that acts, and with nothing from outside."""

from lxml import html as lxml_html

from odoo.tests import tagged

from .common import PNG, MailCase

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
            '<map><area href="javascript:alert(1)"><area href="/web/session/logout">'
            "</map>Hi",
            '<iframe src="https://evil.example"></iframe>Hi',
            '<iframe srcdoc="<script>alert(1)</script>"></iframe>Hi',
            '<object data="x.swf"></object><embed src="x"></embed><applet code="x">'
            "</applet>Hi",
            '<form action="https://evil.example"><input name="password">'
            '<button formaction="javascript:alert(1)">Go</button></form>Hi',
            '<meta http-equiv="refresh" content="0;url=https://evil.example">Hi',
            '<base href="https://evil.example/">Hi',
            '<link rel="stylesheet" href="https://evil.example/x.css">Hi',
            "<style>body { background: url(https://evil.example) }</style>Hi",
            "<style>@import 'https://evil.example';</style>Hi",
            "<svg onload=alert(1)><script>alert(1)</script></svg>Hi",
            '<svg><image href="https://evil.example/x.png"/><use href="#a"/></svg>Hi',
            "<math><mtext><script>alert(1)</script></mtext></math>Hi",
            '<noscript><p title="</noscript><img src=x onerror=alert(1)>">Hi</noscript>Hi',
            "<!--[if mso]><script>alert(1)</script><![endif]-->Hi",
            "<!--><img src=x onerror=alert(1)>-->Hi",
            "<!-- --!><img src=x onerror=alert(1)>-->Hi",
            "<template><script>alert(1)</script></template>Hi",
            '<video src="https://evil.example/x" autoplay><source src="/web"></video>Hi',
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

    def test_the_document_keeps_itself_shut(self):
        document = str(self.body_of("<p>Hi</p>")["document"])
        head = lxml_html.document_fromstring(document).find("head")
        policy = head.find("meta[@http-equiv='Content-Security-Policy']").get("content")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual(set(rules["img-src"].split()), {"data:", "'self'"})
        self.assertNotIn("script-src", rules)
        # nothing comes before it that it would not govern
        self.assertLess(document.index("Content-Security-Policy"), document.index("Hi"))
        self.assertIn('content="no-referrer"', document)
        self.assertIn('<base target="_blank">', document)
        document = str(self.body_of("<p>Hi</p>", remote=True)["document"])
        self.assertIn("img-src data: &#39;self&#39; https: http:", document)

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
class TestImages(BodyCase):
    def images_of(self, element):
        """Return every URL that the body would fetch by itself."""
        urls = []
        for one in element.iter("*"):
            urls += [
                one.get(name) for name in ("src", "background", "poster", "srcset")
            ]
            style = one.get("style") or ""
            if any(word in style.lower() for word in ("url(", "//", "-set(", "\\")):
                urls.append(style)
        return [url for url in urls if url]

    def test_remote_images_are_held_back_in_every_form(self):
        url = "https://track.example/x.png"
        for html in (
            f'<img src="{url}">',
            f"<IMG SRC={url.upper()}>",
            '<img src="//track.example/x.png">',
            '<img src=" \n https://track.example/x.png ">',
            '<img src="ht\ntps://tra\tck.example/x.png">',
            '<img src="https:&#x2f;&#47;track.example/x.png">',
            '<img src="&#104;ttps://track.example/x.png">',
            '<img src="https:\\\\track.example/x.png">',
            '<img src="/\\track.example/x.png">',
            '<img src="https:/track.example/x.png">',
            '<img src="https:track.example/x.png">',
            '<img src="http://user:pass@track.example:81/x.png">',
            f'<img srcset="{url} 1x, {url} 2x">',
            f'<picture><source srcset="{url}"><img alt="x"></picture>',
            f'<table background="{url}"><tr><td background="{url}">x</td></tr></table>',
            f'<video poster="{url}"></video>',
            f'<input type="image" src="{url}">',
            f'<p style="background-image:url({url})">x</p>',
            f"<p style=\"background-image: URL( '{url}' )\">x</p>",
            '<p style="background-image:url(//track.example/x.png)">x</p>',
            '<p style="background-image:u\\72l(https://track.example/x.png)">x</p>',
            '<p style="background-image:\\75\\72\\6c(//track.example/x.png)">x</p>',
            "<p style=\"background-image:image-set('https://track.example/x' 1x)\">x</p>",
            f'<p style="background-image:url(&quot;{url}">x</p>',
            f'<p style="background-image:/**/url/**/({url})">x</p>',
            f'<p style="font-family:url({url});width:1px">x</p>',
            f'<p style="background:url({url})">x</p>',
            f'<p style="list-style-image:url({url})">x</p>',
            f'<p style="content:url({url})">x</p>',
        ):
            with self.subTest(html=html):
                body = self.show(html)
                self.assertEqual(self.images_of(body), [])
                self.assertNotIn("track.example", lxml_html.tostring(body).decode())

    def test_they_are_counted_with_their_hosts(self):
        html = """
            <img src="https://one.example/a.png"><img src="HTTPS://One.Example/b.png">
            <img src="//two.example/c.png"><img src="http://u:p@three.example:81/d.png">
            <p style="background-image:url('https://four.example/e.png')">x</p>
            <img src="data:image/png;base64,AA=="><img src="/web/image/1"><img src="f.png">
            <img src="cid:nothing"><a href="https://five.example">five</a>
        """
        hosts = ["four.example", "one.example", "three.example", "two.example"]
        for remote in (False, True):
            body = self.body_of(html, remote=remote)
            self.assertEqual(body["remote_hosts"], hosts)
            self.assertEqual(body["remote_count"], 5)

    def test_asked_for_they_are_left_in(self):
        html = """
            <img src="https://one.example/a.png">
            <p style="background-image:url('https://four.example/e.png');width:9px">x</p>
        """
        element = self.show(html, remote=True)
        self.assertEqual(element.find(".//img").get("src"), "https://one.example/a.png")
        style = element.find(".//p").get("style")
        self.assertIn("https://four.example/e.png", style)
        self.assertIn("width:9px", style)
        style = self.show(html).find(".//p").get("style")
        self.assertIn("width:9px", style)

    def test_this_server_is_never_asked_for_anything(self):
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "https://crm.ours.example:8443"
        )
        own = "https://crm.ours.example"
        for url in (
            "/web/session/logout",
            "web/session/logout",
            "../web/session/logout",
            "?x",
            f"{own}/web/session/logout",
            f"{own}:8443/web/session/logout",
            "http://CRM.OURS.EXAMPLE/web",
            "//crm.ours.example/web",
            f"{own}.:8443/web",
            "https://x:y@crm.ours.example/web",
            "https://crm.ours.example\\@evil.example/../web/session/logout",
            "https://crm%2Eours.example/web",
            "https://%63rm.ours.example/web",
            "https://crm\u3002ours.example/web",
            "https://\uff43rm.ours.example/web",
            "https://crm.our\ns.example/web",
            "https:/web/session/logout",
            "https:web/session/logout",
            "///crm.ours.example/web",
        ):
            for html in (
                f'<img src="{url}">',
                f"<p style=\"background-image:url('{url}')\">x</p>",
                f'<p style="background-image:url({url})">x</p>',
                f"<p style=\"background-image:url('https://far.example/x');"
                f"border-top:url('{url}')\">x</p>",
                f"<p style=\"background-image:image-set('{url}' 1x)\">x</p>",
            ):
                for remote in (False, True):
                    with self.subTest(html=html, remote=remote):
                        images = self.images_of(self.show(html, remote=remote))
                        images = [one for one in images if "far.example/x" not in one]
                        self.assertEqual(images, [])

    def test_an_address_of_this_server_in_numbers_is_known_too(self):
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "http://127.0.0.1:8069"
        )
        for host in ("127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"):
            element = self.show(f'<img src="http://{host}/web">', remote=True)
            self.assertEqual(self.images_of(element), [], host)

    def test_inline_images_come_from_this_email_alone(self):
        other = self.receive(
            self.mailbox,
            html='<img src="cid:secret@x">',
            attachments=[("s.png", "image/png", PNG, "secret@x")],
        )
        email = self.receive(
            self.mailbox,
            html='<img src="cid:logo@x"><img src="CID:%6Cogo@x"><img src="cid:secret@x">'
            f'<img src="/easycrm_mail/attachment/{other.attachment_line_ids.id}">',
            attachments=[("logo.png", "image/png", PNG, "logo@x")],
        )
        body = self.as_user(email, self.mira).easycrm_body()
        url = f"/easycrm_mail/attachment/{email.attachment_line_ids.id}"
        self.assertEqual(self.images_of(self.parse_body(body)), [url, url])
        self.assertEqual(body["remote_count"], 0)

    def test_images_within_the_html_stay(self):
        element = self.show('<img src="data:image/png;base64,iVBORw0KGgo=">')
        self.assertEqual(len(self.images_of(element)), 1)
        element = self.show('<img src="data:text/html,x">')
        self.assertEqual(self.images_of(element), [])


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

    def test_a_mail_of_nothing_shows_nothing(self):
        body = self.body_of(None, "")
        self.assertEqual(self.parse_body(body).text_content().strip(), "")
        self.assertFalse(body["has_quote"])
