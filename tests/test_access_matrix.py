"""Who gets what of whose mail, by which road: held against two tables.

The first says how much of Mira's mail everybody may have; the second, what of it each
road then shows. Whatever is in neither is in no answer.
"""

from datetime import datetime, timedelta, timezone

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from ..easycrm_mail.models.easycrm_email_live import TIMELINE
from .common import PNG, MailHttpCase, raw_mail

# --- the tables ---

#: What everybody may have of mail in Mira's mailbox: on a contact, on an opportunity of
#: hers, on no record. "shared": as much as the mailbox shares, and of a private
#: conversation nothing. "in mailbox": everything, but from no record that he may open.
WHO = """
                          | contact    | opportunity | no record
 owner                    | everything | everything  | in mailbox
 member of the team       | everything | in mailbox  | in mailbox
 salesman, own documents  | shared     | nothing     | nothing
 salesman, all documents  | shared     | shared      | nothing
 manager                  | shared     | shared      | nothing
 administrator            | shared     | shared      | nothing
 salesman, other company  | nothing    | nothing     | nothing
 employee                 | nothing    | nothing     | nothing
 portal user              | nothing    | nothing     | nothing
 public                   | nothing    | nothing     | nothing
"""

#: What each road shows of a mail to whoever may have that much of it. "known": that
#: there is one; "who": its sender's name; "file": its attachment.
SHOWN = """
                          | metadata  | subject           | everything
 search                   | known     | known             | known
 search the subject       |           | known             | known
 search the text          |           |                   | known
 search the snippet       |           |                   | known
 search a file's name     |           |                   | known
 search with attachments  |           |                   | known
 search with a file line  |           |                   | known
 search its content       |           |                   | known
 search by record         | known     | known             | known
 records with emails      | known     | known             | known
 name_search              |           | known             | known
 search with people       | known     | known             | known
 search with a link       | known     | known             | known
 count                    | known     | known             | known
 read                     | known     | known subject     | known subject text file
 web_read                 | known who | known who subject | known who subject text file
 display_name             |           | subject           | subject
 group by direction       | known     | known             | known
 group files by email     |           |                   | known subject
 group links by email     | known     | known subject     | known subject
 contents                 |           |                   | known subject text
 file lines               |           |                   | known file
 participants             | known who | known who         | known who
 links                    | known     | known             | known
 files                    |           |                   | known file
 export                   | known who | known who subject | known who subject text file
 body                     |           |                   | text
 timeline                 | known who | known who subject | known who subject text file
 timeline, the words      |           |                   | known
 timeline, the subject    |           | known             | known
 timeline, attachments    |           |                   | known
 timeline, conversation   | known who | known who subject | known who subject text file
 timeline, its people     | who       | who               | who
 number of emails         | known     | known             | known
 reasons                  | known     | known             | known
 bus                      | known     | known             | known
 json/2 search_read       | known     | known subject     | known subject text file
 json/2 timeline          | known who | known who subject | known who subject text file
 json/2 body              |           |                   | text
 attachment URL           |           |                   | file
 content URL              |           |                   | file
 image URL                |           |                   | file
"""

#: Where it differs. These roads begin at a record, or tell of one.
OF_A_RECORD = {
    "search by record",
    "search with a link",
    "records with emails",
    "group links by email",
    "links",
    "timeline",
    "timeline, the words",
    "timeline, the subject",
    "timeline, attachments",
    "timeline, conversation",
    "timeline, its people",
    "number of emails",
    "reasons",
    "bus",
    "json/2 timeline",
}
#: By these nobody hears of a private conversation: its holders hear of their mailbox.
OF_SHARED_CONVERSATIONS = {"bus"}

#: How a mailbox shares: (its owner's choice, the administrator's limit, what it is).
SHARING = [
    ("everything", "everything", "everything"),
    ("subject", "everything", "subject"),
    ("metadata", "everything", "metadata"),
    ("everything", "subject", "subject"),
    ("subject", "metadata", "metadata"),
]


def read_table(text):
    """Return {row: {column: cell}} of a table as it is written above."""
    head, *rows = (line.split("|") for line in text.strip("\n").splitlines())
    names = [name.strip() for name in head[1:]]
    return {
        row[0].strip(): dict(
            zip(names, (cell.strip() for cell in row[1:]), strict=True)
        )
        for row in rows
    }


WHO_MAY, SHOWN_BY = read_table(WHO), read_table(SHOWN)

# --- what is looked for in the answers ---

WORDS = {"who": "Zenobia", "subject": "Zugspitze", "text": "Watzmann", "file": "Kofel"}

FILE = PNG + WORDS["file"].encode()

#: {road: function of the case, the environment and an email; what it returns is the
#: answer, or [] for none}
ROADS = {}


def road(name):
    def register(function):
        ROADS[name] = function
        return function

    return register


def search(*domain, model="email", field="id"):
    """Return a road that searches, among the email's rows, for a right guess."""

    def go(case, env, email):
        records = env[f"easycrm.{model}"]
        return records.search([(field, "=", email.id), *domain]).ids

    return go


ROADS["search"] = search()
ROADS["search the subject"] = search(("subject", "ilike", WORDS["subject"]))
ROADS["search the text"] = search(("body_html", "ilike", WORDS["text"]))
ROADS["search the snippet"] = search(("snippet", "ilike", WORDS["text"]))
ROADS["search a file's name"] = search(
    ("attachment_line_ids.name", "ilike", WORDS["file"])
)
ROADS["search with attachments"] = search(("has_attachments", "=", True))
ROADS["search with a file line"] = search(("attachment_line_ids", "!=", False))
ROADS["search with people"] = search(("participant_ids", "!=", False))
ROADS["search with a link"] = search(("link_ids", "!=", False))
ROADS["search its content"] = search(("content_ids.body_text", "!=", False))


@road("search by record")
def search_by_record(case, env, email):
    record = case.records[email]
    emails = ("easycrm_email_link_ids.email_id", "=", email.id)
    return env[record._name].search([("id", "=", record.id), emails]).ids


@road("records with emails")
def records_with_emails(case, env, email):
    record = case.records[email]
    links = ("easycrm_email_link_ids", "!=", False)
    return env[record._name].search([("id", "=", record.id), links]).ids


@road("name_search")
def name_search(case, env, email):
    domain = [("id", "=", email.id)]
    found = env["easycrm.email"].name_search(WORDS["subject"], domain=domain)
    return [email_id for email_id, _name in found]


@road("count")
def count(case, env, email):
    return env["easycrm.email"].search_count([("id", "=", email.id)])


@road("read")
def read(case, env, email):
    [values] = email.with_env(env).read()
    # (that it has a file is as much as its name)
    return [values, values["has_attachments"] and WORDS["file"]]


NAMED = {"fields": {"display_name": {}}}
NESTED = {
    "subject": {},
    "snippet": {},
    "body_html": {},
    "thread_id": NAMED,
    "participant_ids": {"fields": {"name": {}, "email_id": NAMED}},
    "attachment_line_ids": {"fields": {"name": {}, "email_id": NAMED}},
    "content_ids": {"fields": {"subject": {}, "body_text": {}}},
    "link_ids": {"fields": {"reason": {}, "email_id": NAMED}},
    "copy_ids": {"fields": {"subject": {}, "snippet": {}}},
}


@road("web_read")
def web_read(case, env, email):
    return email.with_env(env).web_read(NESTED)


@road("display_name")
def display_name(case, env, email):
    return email.with_env(env).display_name


def group(env, email, *groupby, model="email", field="id"):
    return env[f"easycrm.{model}"].formatted_read_group(
        [(field, "=", email.id)], groupby, ["__count"]
    )


@road("group by direction")
def group_by_direction(case, env, email):
    return group(env, email, "direction")


@road("group files by email")
def group_files(case, env, email):
    return group(env, email, "email_id", model="email.attachment", field="email_id")


@road("group links by email")
def group_links(case, env, email):
    return group(env, email, "email_id", model="email.link", field="email_id")


@road("contents")
def contents(case, env, email):
    return env["easycrm.email.content"].search_read([("email_id", "=", email.id)])


@road("file lines")
def file_lines(case, env, email):
    lines = env["easycrm.email.attachment"]
    return lines.search_read([("email_id", "=", email.id)], ["name", "size"])


@road("participants")
def participants(case, env, email):
    people = env["easycrm.email.participant"]
    return people.search_read([("email_id", "=", email.id)], ["role", "name"])


@road("links")
def links(case, env, email):
    rows = env["easycrm.email.link"]
    return rows.search_read([("email_id", "=", email.id)], ["reason", "role", "date"])


@road("files")
def files(case, env, email):
    found = env["ir.attachment"].search(
        [
            ("res_model", "=", "easycrm.email.attachment"),
            ("res_id", "in", email.sudo().attachment_line_ids.ids),
        ]
    )
    return [(file.name, file.raw) for file in found]


@road("export")
def export(case, env, email):
    columns = ["subject", "snippet", "body_html", "display_name"]
    columns += ["participant_ids/name", "attachment_line_ids/name"]
    return email.with_env(env).export_data(["id", *columns])["datas"]


@road("body")
def body(case, env, email):
    return email.with_env(env).easycrm_body()["document"]


# (each of the mails stands on a record of its own, with no other mail on it)


def open_timeline(case, env, email, **parameters):
    page = case.records[email].with_env(env).easycrm_timeline(**parameters)
    return [values for one in page["conversations"] for values in one["emails"]]


def find(**filters):
    """Return a road that narrows the timeline by a right guess."""

    def go(case, env, email):
        found = open_timeline(case, env, email, filters=filters)
        return [values["id"] for values in found]

    return go


ROADS["timeline"] = open_timeline
ROADS["timeline, the words"] = find(search=WORDS["text"])
ROADS["timeline, the subject"] = find(search=WORDS["subject"])
ROADS["timeline, attachments"] = find(attachments=True)


@road("timeline, conversation")
def timeline_conversation(case, env, email):
    return open_timeline(case, env, email, thread_id=email.sudo().thread_id.id)


@road("timeline, its people")
def timeline_people(case, env, email):
    return case.records[email].with_env(env).easycrm_people()


@road("number of emails")
def number_of_emails(case, env, email):
    [values] = case.records[email].with_env(env).read(["easycrm_email_count"])
    return values["easycrm_email_count"]


@road("reasons")
def reasons(case, env, email):
    record = case.records[email]
    return email.with_env(env).easycrm_why(record._name, record.id)


@road("bus")
def bus(case, env, email):
    record = case.records[email]
    name = f"{TIMELINE}/{record._name}/{record.id}"
    heard = {
        json_dump(channel_with_db(env.cr.dbname, channel))
        for channel in env["easycrm.email.link"]._get_channels([name])
    }
    return heard & case.pinged[email]


def ask(case, method, **arguments):
    """Return what the external API answers, [] where it refuses."""
    response = case.url_open(
        f"/json/2/{method}",
        json=arguments,
        headers={"Authorization": f"Bearer {case.key}"},
    )
    return response.json() if response.status_code == 200 else []


@road("json/2 search_read")
def json_search_read(case, env, email):
    rows = ask(case, "easycrm.email/search_read", domain=[("id", "=", email.id)])
    return [(row, row["has_attachments"] and WORDS["file"]) for row in rows]


@road("json/2 timeline")
def json_timeline(case, env, email):
    record = case.records[email]
    page = ask(case, f"{record._name}/easycrm_timeline", ids=record.ids)
    return page and page["conversations"]


@road("json/2 body")
def json_body(case, env, email):
    return ask(case, "easycrm.email/easycrm_body", ids=email.ids)


def fetch(make_url):
    """Return a road that opens a URL."""

    def go(case, env, email):
        url = make_url(email.sudo().attachment_line_ids)
        return case.url_open(url, allow_redirects=False).content

    return go


ROADS["attachment URL"] = fetch(lambda line: f"/easycrm_mail/attachment/{line.id}")
ROADS["content URL"] = fetch(lambda line: f"/web/content/{line.attachment_id.id}")
ROADS["image URL"] = fetch(lambda line: f"/web/image/{line.attachment_id.id}")


@tagged("post_install", "-at_install")
class TestMatrix(MailHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        member = cls.add_user("mats", "sales_team.group_sale_salesman")
        cls.mailbox.member_ids = member
        cls.roles = {
            "owner": cls.mira,
            "member of the team": member,
            "salesman, own documents": cls.jonas,
            "salesman, all documents": cls.leonie,
            "manager": cls.sofia,
            "administrator": cls.admin,
            "salesman, other company": cls.bea,
            "employee": cls.ingrid,
            "portal user": cls.portal,
            "public": cls.public,
        }
        internal = [user.id for user in cls.roles.values() if not user.share]
        cls.env.ref("base.group_allow_export").user_ids |= cls.env["res.users"].browse(
            internal
        )
        Partner = cls.env["res.partner"]
        #: {email: (place, whether it is private)}; {email: the record that is asked}
        cls.places, cls.records, cls.pinged = {}, {}, {}
        for number, private in enumerate((False, True)):
            address = f"zenobia{number}@customer.example"
            for place, record in (
                ("contact", Partner.create({"name": "C", "email": address})),
                ("opportunity", cls.add_lead("D", cls.mira, f"o{address}")),
                ("no record", Partner.create({"name": "N"})),
            ):
                sender = {"contact": address, "opportunity": f"o{address}"}.get(
                    place, f"n{address}"
                )
                email = cls.bring(sender, private)
                cls.places[email] = place, private
                cls.records[email] = record
        cls.cr.flush()

    @classmethod
    def bring(cls, sender, private):
        """Bring an answer in a conversation of which nobody else has anything."""
        now = datetime.now(timezone.utc) - timedelta(minutes=1)
        first = cls.receive(cls.mailbox, sender=f"first.{sender}", date=now)
        if private:
            first.thread_id.with_user(cls.mira).action_make_private()
        cls.read_pings()
        raw = raw_mail(
            sender=f"{WORDS['who']} <{sender}>",
            subject=f"About {WORDS['subject']}",
            text=f"It is the {WORDS['text']}.",
            attachments=[(f"{WORDS['file']}.png", "image/png", FILE)],
            references=[first.message_id],
            date=now,
        )
        [email] = cls.deliver(cls.mailbox, raw)
        cls.keep_files(email.attachment_line_ids, raw)
        cls.pinged[email] = cls.read_pings()
        return email

    @classmethod
    def read_pings(cls):
        """Commit, as it were; return the channels that are told, and empty the bus."""
        cls.cr.flush()
        rows = cls.env["bus.bus"].search([("message", "like", TIMELINE)])
        channels = set(rows.mapped("channel"))
        rows.unlink()
        return channels

    def sign_in(self, user):
        """Let URLs be opened, and the external API asked, as that user."""
        self.key = "none"
        if user == self.public:
            self.authenticate(None, None)
            return
        keys = self.env["res.users.apikeys"].with_user(user)
        tomorrow = fields.Datetime.now() + timedelta(hours=1)
        self.key = keys._generate("rpc", "test", tomorrow)
        self.env.flush_all()
        self.authenticate(user.login, "admin" if user == self.admin else user.login)

    def share(self, choice, limit):
        """Have the mailbox share as its owner chooses, within that limit."""
        params = self.env["ir.config_parameter"]
        params.set_param("easycrm_mail.share_limit", "everything")
        self.mailbox.share_level = choice
        params.set_param("easycrm_mail.share_limit", limit)

    def get_sharing(self, role):
        """Return the ways of sharing that make a difference to somebody, or might."""
        cells = set(WHO_MAY[role].values())
        if "shared" in cells:
            # (a limit makes one level another: that is tried with one of them)
            return SHARING if role == "salesman, own documents" else SHARING[:3]
        # all of it where least is shared, nothing where all is
        return SHARING[2:3] if "in mailbox" in cells else SHARING[:1]

    def get_expected(self, role, road, email, level):
        """Return what that road must show of a mail, by the tables."""
        place, private = self.places[email]
        may = WHO_MAY[role][place]
        if may == "shared":
            may = "nothing" if private else level
        if may == "in mailbox":
            may = "nothing" if road in OF_A_RECORD else "everything"
        if road in OF_SHARED_CONVERSATIONS and private:
            may = "nothing"
        return set() if may == "nothing" else set(SHOWN_BY[road][may].split())

    def get_seen(self, road, env, email):
        """Return what that road shows of a mail."""
        try:
            answer = ROADS[road](self, env, email)
        except UserError:
            return set()
        seen = {name for name, word in WORDS.items() if word in repr(answer)}
        can_tell = any("known" in cell for cell in SHOWN_BY[road].values())
        return seen | {"known"} if answer and can_tell else seen

    def check_road(self, role, road, level):
        """Hold a road's answers about all the mails against the tables."""
        env = self.as_user(self.mailbox, self.roles[role]).env
        for email, (place, private) in self.places.items():
            sentence = (
                f"{road}: what the {role} gets of mail on {place}, of a "
                f"{'private' if private else 'shared'} conversation, in a mailbox "
                f"that shares {level}"
            )
            with self.subTest(sentence):
                seen = self.get_seen(road, env, email)
                self.assertEqual(seen, self.get_expected(role, road, email, level))

    def test_everybody_gets_what_the_tables_say_and_nothing_else(self):
        self.assertEqual(set(ROADS), set(SHOWN_BY))
        self.assertEqual(set(self.roles), set(WHO_MAY))
        for role, user in self.roles.items():
            self.sign_in(user)
            for choice, limit, level in self.get_sharing(role):
                self.share(choice, limit)
                with mute_logger(
                    "odoo.http",
                    "odoo.addons.base.models.ir_rule",
                    "odoo.addons.base.models.ir_model",
                ):
                    for road in ROADS:
                        self.check_road(role, road, level)
