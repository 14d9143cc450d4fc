"""Which folders are shown, and what each is taken for."""

import pytest
from conftest import LONG_AGO
from imap_mailbox import connect, numbers

from easycrm_mail.providers import StreamRole, imap_folders
from easycrm_mail.providers.imap_folders import streams_of
from easycrm_mail.providers.uid_set import (
    count,
    expand,
    pack,
    parse_sequence,
    sequence,
    unpack,
    within,
)


def shown(listed) -> list[tuple]:
    """What `streams_of` makes of LIST, in short."""
    return [(one.stream, one.role.value, one.default) for one in streams_of(listed)]


def folder(name: str, *attributes: bytes, delimiter: bytes = b"/"):
    """One line of LIST."""
    return (attributes, delimiter, name)


def test_special_use_tells_the_roles(mailbox):
    mailbox.create_folder("Projects/2025")
    provider = connect(mailbox)
    assert [
        (one.stream, one.name, one.role, one.default) for one in provider.streams()
    ] == [
        ("INBOX", "Inbox", StreamRole.INBOX, True),
        ("Sent", "Sent", StreamRole.SENT, True),
        ("Archive", "Archive", StreamRole.ARCHIVE, False),
        ("Projects/2025", "Projects/2025", StreamRole.OTHER, False),
    ]
    provider.close()


def test_names_tell_the_roles_where_attributes_do_not(plain_mailbox):
    provider = connect(plain_mailbox)
    assert [(one.stream, one.role, one.default) for one in provider.streams()] == [
        ("INBOX", StreamRole.INBOX, True),
        ("Gesendet", StreamRole.SENT, True),
        ("Archiv", StreamRole.ARCHIVE, False),
    ]
    provider.close()


@pytest.mark.parametrize(
    "name",
    [
        "Bücher",
        "Kunden & Co.",
        "日本語/メール",
        "Ж",
        "a~b",
        '"quoted"',
        "back\\slash",
        "👋",
        "10",
    ],
)
def test_folder_names_of_any_language_are_read(any_mailbox, name):
    any_mailbox.create_folder(name)
    any_mailbox.deliver(7, folder=name)
    provider = connect(any_mailbox)
    assert name in [one.stream for one in provider.streams()]
    batch = provider.pull(name, "", LONG_AGO)
    assert numbers(batch) == [7]
    assert provider.fetch(name, batch.messages[0].ref)
    assert provider.pull(name, batch.checkpoint, LONG_AGO) is not None
    provider.close()


def test_gmail():
    assert shown(
        [
            folder("INBOX", rb"\HasNoChildren"),
            folder("[Gmail]", rb"\HasChildren", rb"\Noselect"),
            folder("[Gmail]/All Mail", rb"\All"),
            folder("[Gmail]/Drafts", rb"\Drafts"),
            folder("[Gmail]/Important", rb"\Important"),
            folder("[Gmail]/Sent Mail", rb"\Sent"),
            folder("[Gmail]/Spam", rb"\Junk"),
            folder("[Gmail]/Starred", rb"\Flagged"),
            folder("[Gmail]/Trash", rb"\Trash"),
            folder("[Gmail]/Chats"),
            folder("Customers"),
        ]
    ) == [
        ("INBOX", "inbox", True),
        ("[Gmail]/Sent Mail", "sent", True),
        ("[Gmail]/All Mail", "all", False),
        ("Customers", "other", False),
    ]


def test_gmail_without_attributes():
    names = [
        "INBOX",
        "[Gmail]/Sent Mail",
        "[Gmail]/All Mail",
        "[Gmail]/Bin",
        "[Gmail]/Spam",
    ]
    assert shown(map(folder, names)) == [
        ("INBOX", "inbox", True),
        ("[Gmail]/Sent Mail", "sent", True),
        ("[Gmail]/All Mail", "all", False),
    ]


def test_courier_and_its_inbox_with_everything_below():
    names = [
        "INBOX",
        "INBOX.Sent",
        "INBOX.Drafts",
        "INBOX.Trash",
        "INBOX.Trash.Old",
        "INBOX.Work",
    ]
    listed = [folder(name, delimiter=b".") for name in names]
    assert shown(listed) == [
        ("INBOX", "inbox", True),
        ("INBOX.Sent", "sent", True),
        ("INBOX.Work", "other", False),
    ]
    assert [one.name for one in streams_of(listed)] == ["Inbox", "Sent", "Work"]


@pytest.mark.parametrize(
    "name",
    ["Gesendet", "Gesendete Elemente", "Envoyés", "Éléments envoyés",
     "Sent Items", "Sent Messages", "Elementos enviados",
     "Posta inviata", "Verzonden items", "Itens Enviados",
     "Отправленные", "Sendt", "Skickat", "已发送邮件", "送信済みメール", "SENT"],
)  # fmt: skip
def test_sent_mail_is_known_by_name(name):
    assert (name, "sent", True) in shown([folder("INBOX"), folder(name)])


@pytest.mark.parametrize(
    "name",
    ["Drafts", "Entwürfe", "Brouillons", "Junk", "Junk-E-Mail", "Spam", "Trash",
     "Papierkorb", "Gelöschte Elemente", "Deleted Items", "Corbeille", "Papelera",
     "Корзина", "Outbox", "Conversation History", "垃圾邮件"],
)  # fmt: skip
def test_drafts_spam_and_trash_are_never_shown(name):
    within = folder(f"{name}/2025")
    assert shown([folder("INBOX"), folder(name), within]) == [("INBOX", "inbox", True)]


def test_a_name_deep_down_is_somebodys_own_word():
    assert ("Kunden/Verlag/Entwürfe", "other", False) in shown(
        [folder("INBOX"), folder("Kunden/Verlag/Entwürfe")]
    )


def test_what_the_server_says_goes_before_the_name():
    assert shown(
        [
            folder("INBOX"),
            folder("Verschickt", rb"\Sent"),
            folder("Sent"),
            folder("Spam", rb"\Archive"),
        ]
    ) == [
        ("INBOX", "inbox", True),
        ("Sent", "sent", False),
        ("Verschickt", "sent", True),
        ("Spam", "archive", False),
    ]


def test_all_mail_is_read_where_there_is_nothing_else():
    assert shown([folder("Everything", rb"\All"), folder("Other")]) == [
        ("Everything", "all", True),
        ("Other", "other", False),
    ]


def test_what_cannot_be_opened_is_not_shown():
    assert shown(
        [
            folder("inbox", rb"\Marked"),
            folder("Public", rb"\NoSelect"),
            folder("Ghost", rb"\NonExistent"),
            folder(""),
        ]
    ) == [("inbox", "inbox", True)]


@pytest.mark.parametrize(
    ("uids", "packed", "written"),
    [
        ([], "", ""),
        ([1], "1", "1"),
        ([3, 4, 5, 9, 40], "3.3,4,v", "3:5,9,40"),
        ([2, 1], "1.2", "1:2"),
        (range(1, 100_001), "1.255s", "1:100000"),
        ([4294967295], "1z141z3", "4294967295"),
    ],
)
def test_uids_are_packed(uids, packed, written):
    assert pack(uids) == packed
    assert unpack(packed) == set(uids)
    assert sequence(uids) == written


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "x!", "1,", "1.zzzzzzzz", ","])
def test_nonsense_is_no_set_of_uids(text):
    with pytest.raises(ValueError):
        unpack(text)


@pytest.mark.parametrize("uids", [[], [3], [3, 4, 5, 9, 40], [1, 2, 4_294_967_295]])
def test_what_servers_write_of_uids_is_read(uids):
    runs = parse_sequence(sequence(uids))
    assert within([*uids, 7, 100], runs) == set(uids)
    assert count(runs, 100) == len([uid for uid in uids if uid <= 100])
    assert expand(runs, 4, 100) == {uid for uid in uids if 4 <= uid <= 100}
    # Ends may stand either way round (RFC 3501, 9: sequence-range).
    assert parse_sequence("9:3") == [(3, 9)]


@pytest.mark.parametrize("text", ["x", ":3", "1,,2", "*"])
def test_what_is_no_set_of_uids_is_an_error(text):
    with pytest.raises(ValueError, match="invalid literal"):
        parse_sequence(text)


def test_however_many_folders_there_are_each_is_compared_once(monkeypatch):
    """A server may list what it likes."""
    compared = []
    is_within = imap_folders._Folder.is_within

    def count(one, path):
        compared.append(path)
        assert len(compared) < 2_000
        return is_within(one, path)

    monkeypatch.setattr(imap_folders._Folder, "is_within", count)
    listed = [folder(f"x{n}", rb"\Junk") for n in range(500)]
    listed += [folder(f"x{n}/in") for n in range(0, 500, 2)]
    listed += [folder(f"y{n}") for n in range(500)]
    assert {name[0] for name, _role, _default in shown(listed)} == {"y"}
    assert len(shown(listed[-500:])) == 500


def test_a_folder_that_is_listed_twice_is_left_out_if_either_is():
    listed = [folder("A"), folder("A", rb"\Junk"), folder("A/in"), folder("A2")]
    assert [one[0] for one in shown(listed)] == ["A2"]
    assert [one[0] for one in shown(listed[::-1])] == ["A2"]
