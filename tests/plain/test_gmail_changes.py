"""What happens in a Gmail mailbox after it was read once comes over."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from gmail_mailbox import EMAIL, Mirror, Tokens, connect, fill

from easycrm_mail.providers import Gone, StreamRole


@pytest.fixture(params=[False, True], ids=["ids", "ids and labels"])
def gmail(gmail, request):
    """Once as the history tells little more than ids, once with labels."""
    gmail.tells_labels = request.param
    return gmail


@pytest.fixture
def synced(gmail, provider):
    """A mirror of six mails, and their refs."""
    refs = fill(gmail, 6)
    return Mirror().pull_all(provider), refs


def test_reading_and_marking_unread_come_over(gmail, provider, synced):
    mirror, refs = synced
    gmail.mailbox.mark_read(refs[0])
    gmail.mailbox.mark_read(refs[1])
    gmail.mailbox.mark_read(refs[1], False)
    gmail.parts.clear()
    batch = mirror.pull(provider)
    assert {(c.ref, c.is_read) for c in batch.changes} == {
        (refs[0], True),
        (refs[1], False),
    }
    assert not batch.messages and not gmail.parts
    mirror.check(gmail)


def test_trash_spam_and_deleting_are_removals(gmail, provider, synced):
    mirror, refs = synced
    gmail.mailbox.trash(refs[0])
    gmail.mailbox.add_labels(refs[1], "SPAM")
    gmail.mailbox.delete(refs[2])
    batch = mirror.pull(provider)
    assert sorted(batch.removals) == sorted(refs[:3])
    mirror.check(gmail)


def test_what_comes_out_of_the_trash_is_fetched_again(gmail, provider, synced):
    mirror, refs = synced
    gmail.mailbox.trash(refs[0])
    mirror.pull(provider)
    gmail.mailbox.untrash(refs[0])
    batch = mirror.pull(provider)
    assert [one.ref for one in batch.messages] == [refs[0]]
    mirror.check(gmail)


def test_what_comes_and_goes_between_two_pulls_leaves_nothing(gmail, provider, synced):
    mirror, refs = synced
    [passing] = fill(gmail, 1, first=50)
    gmail.mailbox.delete(passing)
    gmail.mailbox.trash(refs[0])
    gmail.mailbox.untrash(refs[0])
    mirror.pull_all(provider).check(gmail)
    assert passing not in mirror.handed


def test_moves_between_labels_change_nothing_in_the_whole_mailbox(
    gmail, provider, synced
):
    mirror, refs = synced
    gmail.mailbox.archive(refs[0])
    gmail.mailbox.add_labels(refs[1], "Customers", "STARRED")
    gmail.mailbox.remove_labels(refs[1], "Customers")
    batch = mirror.pull(provider)
    assert not (batch.messages or batch.removals or batch.changes)
    mirror.check(gmail)


def test_a_draft_comes_once_it_is_sent(gmail, provider, synced):
    """As a new mail, the draft being deleted; or the same one, with other labels."""
    mirror, _refs = synced
    saved = [gmail.mailbox.draft(b"Subject: draft\r\n\r\n%d" % n) for n in range(3)]
    gmail.mailbox.delete(saved[0])
    gmail.mailbox.delete(saved[1])
    mirror.pull_all(provider)
    assert not set(saved) & set(mirror.handed)
    gmail.mailbox.delete(saved[2])
    new = gmail.mailbox.deliver(b"Subject: sent\r\n\r\nyes", ["SENT"])
    same = gmail.mailbox.draft(b"Subject: sent too\r\n\r\nyes")
    gmail.mailbox.remove_labels(same, "DRAFT")
    gmail.mailbox.add_labels(same, "SENT")
    mirror.pull_all(provider).check(gmail)
    assert {new, same} <= set(mirror.handed)


def test_a_label_is_a_stream_of_its_own(gmail, provider):
    refs = fill(gmail, 4)
    label = gmail.mailbox.label("Customers/Nordlicht")
    gmail.mailbox.add_labels(refs[0], label)
    mirror = Mirror(label).pull_all(provider)
    mirror.check(gmail)
    assert mirror.handed == [refs[0]]
    gmail.mailbox.add_labels(refs[1], label)
    gmail.mailbox.remove_labels(refs[0], label)
    [new] = fill(gmail, 1, first=9, labels=[label])
    fill(gmail, 1, first=10)
    batch = mirror.pull(provider)
    assert refs[0] in batch.removals
    mirror.check(gmail)
    assert mirror.handed[1:] == [new, refs[1]] or mirror.handed[1:] == [refs[1], new]
    # What goes into the trash keeps its label, and is gone all the same.
    gmail.mailbox.trash(refs[1])
    mirror.pull(provider)
    mirror.check(gmail)
    gmail.mailbox.untrash(refs[1])
    mirror.pull(provider)
    mirror.check(gmail)


def test_a_label_that_is_gone_is_said_so(gmail, provider):
    fill(gmail, 1)
    label = gmail.mailbox.label("Old")
    gmail.mailbox.delete_label(label)
    with pytest.raises(Gone) as caught:
        provider.pull(label, "", Mirror().since)
    assert caught.value.code == "folder"


def test_the_streams_are_the_whole_mailbox_and_labels_to_choose(gmail, provider):
    nested = gmail.mailbox.label("Work/Chairs")
    gmail.mailbox.label("Apples")
    found = [(s.stream, s.name, s.role, s.default) for s in provider.streams()]
    assert found == [
        ("all", "All mail", StreamRole.ALL, True),
        ("INBOX", "Inbox", StreamRole.INBOX, False),
        ("SENT", "Sent", StreamRole.SENT, False),
        ("Label_2", "Apples", StreamRole.OTHER, False),
        (nested, "Work/Chairs", StreamRole.OTHER, False),
    ]


def test_the_aliases_are_the_verified_addresses(gmail, provider):
    gmail.mailbox.send_as += [
        {"sendAsEmail": "sales@example.com", "verificationStatus": "accepted"},
        {"sendAsEmail": "new@example.com", "verificationStatus": "pending"},
    ]
    assert provider.aliases() == [EMAIL, "sales@example.com"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_mirror_is_the_mailbox(gmail, provider, seed):
    """Random changes between pulls, of which some are lost with their provider."""
    dice = random.Random(seed)
    box = gmail.mailbox
    fill(gmail, 60)
    label = box.label("Mine")
    mirrors = [Mirror(), Mirror("INBOX"), Mirror(label)]

    def happen():
        refs = sorted(box.mails)
        ref = dice.choice(refs)
        what = dice.randrange(9)
        if what == 0:
            fill(gmail, dice.randrange(1, 4), first=len(refs) + 1_000)
        elif what == 1:
            box.trash(ref)
        elif what == 2:
            box.untrash(ref)
        elif what == 3 and len(refs) > 20:
            box.delete(ref)
        elif what == 4:
            box.mark_read(ref, dice.random() < 0.5)
        elif what == 5:
            box.add_labels(ref, dice.choice([label, "INBOX", "STARRED"]))
        elif what == 6:
            box.remove_labels(ref, dice.choice([label, "INBOX", "SPAM"]))
        elif what == 7:
            box.add_labels(ref, "SPAM")
        else:
            box.draft(b"Subject: d\r\n\r\n")

    for round_ in range(25):
        for _number in range(dice.randrange(6)):
            happen()
        if round_ == 12:
            box.expire_history()
        mirror = dice.choice(mirrors)
        batch = provider.pull(mirror.stream, mirror.checkpoint, mirror.since)
        if dice.random() < 0.8:
            mirror.store(batch)
    before = box.snapshot()
    for mirror in mirrors:
        mirror.pull_all(provider).check(gmail)
        assert mirror.settled
    assert box.snapshot() == before


def test_two_mailboxes_are_read_at_once(gmail):
    """Each by its own thread and client."""

    other = gmail.add_mailbox("bob@example.org")
    fill(gmail, 70)
    for number in range(65):
        other.deliver(b"Subject: to Bob %d\r\n\r\nHello" % number)
    tokens = [Tokens(gmail), Tokens(gmail, "bob@example.org")]
    with ThreadPoolExecutor(2) as pool:
        run = [
            pool.submit(Mirror().pull_all, connect(gmail, tokens=one)) for one in tokens
        ]
        mine, his = (future.result() for future in run)
    mine.check(gmail)
    assert set(his.mails) == set(other.mails) and len(his.handed) == 65
