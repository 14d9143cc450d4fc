"""Who gets what of whose mail, by which road: held against two tables.

The first says how much of Mira's mail everybody may have; the second, what of it each
road then shows. Whatever is in neither is in no answer.
"""

from datetime import datetime, timedelta, timezone

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models.easycrm_email_live import TIMELINE
from .access_roads import FILE, ROADS, WORDS
from .common import MailHttpCase, raw_mail

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
