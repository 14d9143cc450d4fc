"""The roads to an email: what `test_access_matrix` goes along, one by one."""

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from ..easycrm_mail.models.easycrm_email_live import TIMELINE
from .common import PNG

#: What is looked for in the answers.
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
