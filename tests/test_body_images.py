"""Images of a body: the email's own, and those from elsewhere once asked for."""

from lxml import html as lxml_html

from odoo.tests import tagged

from .common import PNG
from .test_body import BodyCase


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
            "<p style=\"background-image:image-set('//track.example/x' 1x)\">x</p>",
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
            <img src="//two.example/c.png"><img src="http://u:p@three.example:81/d">
            <p style="background-image:url('https://four.example/e.png')">x</p>
            <img src="data:image/png;base64,AA=="><img src="/web/image/1">
            <img src="f.png"><img src="cid:nothing"><a href="https://five.example">five</a>
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
            far = "https://far.example/x"
            email = self.receive(
                self.mailbox,
                html=f"""<img src="{url}">
                    <p style="background-image:url('{url}')">x</p>
                    <p style="background-image:url({url})">x</p>
                    <p style="background-image:image-set('{url}' 1x)">x</p>
                    <p style="background-image:url('{far}');border-top:url('{url}')">x
                    <p style="background-image:url('{far}'), url('{url}')">x</p>""",
            )
            for remote in (False, True):
                with self.subTest(url=url, remote=remote):
                    body = self.as_user(email, self.mira).easycrm_body(remote)
                    left = self.images_of(self.parse_body(body))
                    allowed = [f"background-image:url('{far}')"] if remote else []
                    self.assertEqual(left, allowed)

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
        foreign = f"/easycrm_mail/attachment/{other.attachment_line_ids.id}"
        names = ("cid:logo@x", "CID:%6Cogo@x", "cid:secret@x", foreign)
        email = self.receive(
            self.mailbox,
            html="".join(f'<img src="{name}">' for name in names),
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
