"""Each role's view of an email, by each road that leads to it."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MailCase, raw_mail

# What gives an email away, from the envelope inwards. KNOWN: that there is one at all.
KNOWN, WHO, SUBJECT, TEXT, FILE = "known", "Zenobia", "Zugspitze", "Watzmann", "Kofel"

#: What is readable at each share level; None: there is no such email for the user.
LEVELS = {
    None: set(),
    "metadata": {KNOWN, WHO},
    "subject": {KNOWN, WHO, SUBJECT},
    "everything": {KNOWN, WHO, SUBJECT, TEXT, FILE},
}

#: {name: (function of env and email, what it shows, at which levels)}
ROADS = {}


def road(*shows, at=("metadata", "subject", "everything")):
    """Register a function that returns rows about one email, to whoever asks.

    :param shows: what it shows where all may be read
    :param at: the levels at which it shows anything
    """

    def register(function):
        ROADS[function.__name__] = function, set(shows), at
        return function

    return register


def about(email, field="email_id"):
    return [(field, "=", email.id)]


NAMED = {"fields": {"display_name": {}}}
NESTED = {
    "subject": {},
    "snippet": {},
    "body_html": {},
    "thread_id": {},
    "participant_ids": {"fields": {"name": {}, "email_id": NAMED}},
    "attachment_line_ids": {"fields": {"name": {}, "email_id": NAMED}},
    "content_ids": {"fields": {"subject": {}, "body_text": {}}},
    "link_ids": {"fields": {"reason": {}, "email_id": NAMED}},
    "copy_ids": {"fields": {"subject": {}, "snippet": {}}},
}


@road(KNOWN)
def search(env, email):
    return env["easycrm.email"].search(about(email, "id")).ids


@road(KNOWN)
def search_count(env, email):
    return env["easycrm.email"].search_count(about(email, "id"))


@road(KNOWN, SUBJECT, TEXT)
def search_read(env, email):
    return env["easycrm.email"].search_read(about(email, "id"))


@road(KNOWN, SUBJECT, TEXT)
def read(env, email):
    return env["easycrm.email"].browse(email.id).read()


@road(KNOWN, WHO, SUBJECT, TEXT, FILE)
def web_read(env, email):
    return env["easycrm.email"].browse(email.id).web_read(NESTED)


@road(KNOWN, WHO, SUBJECT, TEXT, FILE)
def web_search_read(env, email):
    found = env["easycrm.email"].web_search_read(about(email, "id"), NESTED)
    return found["records"]


@road(KNOWN)
def read_group(env, email):
    groups = env["easycrm.email"]._read_group(
        about(email, "id"), ["thread_id"], ["__count", "message_id:array_agg"]
    )
    return [row for row in groups if row[1]]


@road(KNOWN)
def formatted_read_group(env, email):
    return env["easycrm.email"].formatted_read_group(
        about(email, "id"), ["thread_id", "direction"], ["__count"]
    )


@road(KNOWN, SUBJECT)
def web_read_group(env, email):
    found = env["easycrm.email"].web_read_group(
        about(email, "id"),
        ["direction"],
        auto_unfold=True,
        unfold_read_specification={"subject": {}, "display_name": {}},
    )
    return found["groups"]


@road(KNOWN, SUBJECT)
def group_by_email(env, email):
    return [
        env[model].formatted_read_group(about(email), ["email_id"], ["__count"])
        for model in ("easycrm.email.link", "easycrm.email.participant")
        if env[model].search_count(about(email))
    ]


@road(KNOWN, WHO, SUBJECT, TEXT, FILE)
def export_data(env, email):
    if not env.user.has_group("base.group_allow_export"):
        return []
    emails = env["easycrm.email"].browse(email.id)
    fields = ["id", "display_name", "subject", "snippet", "body_html"]
    fields += ["participant_ids/name", "attachment_line_ids/name", "link_ids/reason"]
    return emails.export_data(fields)["datas"]


@road(KNOWN, SUBJECT)
def name_search(env, email):
    return env["easycrm.email"].name_search(domain=about(email, "id"))


@road(SUBJECT)
def display_name(env, email):
    return env["easycrm.email"].browse(email.id).display_name


@road(SUBJECT, TEXT, at=["everything"])
def content(env, email):
    return env["easycrm.email.content"].search_read(about(email))


@road(WHO, SUBJECT, KNOWN)
def participants(env, email):
    return env["easycrm.email.participant"].search_read(about(email))


@road(FILE, SUBJECT, at=["everything"])
def attachment_lines(env, email):
    return env["easycrm.email.attachment"].search_read(about(email))


@road(FILE)
def attachments(env, email):
    domain = [("res_model", "=", "easycrm.email.attachment")]
    return [
        (attachment.name, attachment.raw)
        for attachment in env["ir.attachment"].search(domain)
    ]


@road(FILE)
def attachment_by_id(env, email):
    ids, fields = email.attachment_line_ids.attachment_id.ids, ["name", "raw"]
    return [
        (one["name"], one["raw"])
        for one in env["ir.attachment"].browse(ids).read(fields)
    ]


@road()
def threads(env, email):
    return env["easycrm.email.thread"].search_read(about(email, "email_ids"))


@road()
def addresses(env, email):
    return env["easycrm.email.address"].search_read([])


@road(KNOWN, TEXT)
def body(env, email):
    return env["easycrm.email"].browse(email.id).easycrm_body()


@tagged("post_install", "-at_install")
class TestRoads(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        everybody = cls.mira | cls.jonas | cls.leonie | cls.sofia | cls.bea | cls.ingrid
        cls.env.ref("base.group_allow_export").user_ids |= everybody
        cls.raw = raw_mail(
            sender=f"{WHO} <anna@acme.example>",
            subject=f"About {SUBJECT}",
            text=f"It is the {TEXT}.",
            attachments=[(f"{FILE}.txt", "text/plain", f"{FILE}!".encode())],
        )
        [cls.email] = cls.deliver(cls.mailbox, cls.raw)
        cls.keep_files(cls.email.attachment_line_ids, cls.raw)

    def assertRoads(self, user, level):
        """Assert that each road shows what the level allows, no more and no less."""
        for name, (function, shows, levels) in ROADS.items():
            with self.subTest(road=name, user=user.login, level=level):
                env = self.as_user(self.email, user).env
                try:
                    got = function(env, self.email)
                except AccessError:
                    got = []
                seen = {word for word in LEVELS["everything"] if word in repr(got)}
                expected = shows & LEVELS[level] if level in levels else set()
                if KNOWN in shows:
                    seen |= {KNOWN} if got else set()
                self.assertEqual(seen, expected)

    def put_on(self, record):
        """Leave the email on that record alone."""
        owner = "partner_id" if record._name == "res.partner" else "lead_id"
        self.email.link_ids.unlink()
        self.env["easycrm.email.link"].create(
            {"email_id": self.email.id, owner: record.id}
        )

    def test_the_holder_gets_everything_of_linked_and_unlinked_mail(self):
        self.mailbox.share_level = "metadata"
        self.assertRoads(self.mira, "everything")
        self.email.link_ids.unlink()
        self.assertRoads(self.mira, "everything")

    def test_a_team_member_gets_what_the_owner_gets(self):
        self.email.link_ids.unlink()
        self.mailbox.member_ids = self.jonas
        self.assertRoads(self.jonas, "everything")

    def test_a_colleague_gets_linked_mail_at_its_share_level(self):
        for level in ("everything", "subject", "metadata"):
            self.mailbox.share_level = level
            self.assertRoads(self.jonas, level)
            self.assertRoads(self.sofia, level)

    def test_a_colleague_gets_nothing_of_unlinked_mail(self):
        self.email.link_ids.unlink()
        for user in (self.jonas, self.leonie, self.sofia, self.admin):
            self.assertRoads(user, None)

    def test_a_lead_one_may_not_read_gives_no_access(self):
        self.put_on(self.add_lead("Deal", self.mira))
        self.assertRoads(self.jonas, None)
        self.assertRoads(self.leonie, "everything")
        self.assertRoads(self.sofia, "everything")

    def test_a_tombstone_gives_no_access(self):
        self.email.link_ids.removed = True
        for user in (self.jonas, self.sofia):
            self.assertRoads(user, None)

    def test_a_link_by_bcc_gives_access_to_its_sender_alone(self):
        self.email.link_ids.write({"origin": "auto", "role": "bcc"})
        others = self.jonas, self.leonie, self.sofia, self.admin
        for direction in ("inbound", "outbound"):
            self.email.copy_ids.direction = direction
            for user in others:
                self.assertRoads(user, None)
        self.assertRoads(self.mira, "everything")

    def test_a_private_conversation_is_its_holders_own(self):
        self.make_private(self.email)
        for user in (self.jonas, self.sofia, self.admin):
            self.assertRoads(user, None)
        self.assertRoads(self.mira, "everything")

    def test_another_company_gets_nothing(self):
        self.assertRoads(self.bea, None)

    def test_who_has_no_business_with_mail_gets_nothing(self):
        for user in (self.ingrid, self.portal, self.public):
            self.assertRoads(user, None)
