"""What services say that fits no database stops neither the mailbox nor the rest."""

import random
from datetime import datetime, timezone

from odoo.tests import tagged

from ..easycrm_mail.providers import Stream, StreamRole
from .common import MailCase, raw_mail
from .compare_case import ComparingGmail, ComparingOutlook
from .servers.web import Answer

#: Too long for an index, however it is packed.
LONG = "".join(random.Random(0).choices("abcdefghijklmnop0123456789", k=10_000))


class OddAnswers:
    """What holds for both services."""

    #: What asks which mails the mailbox holds.
    held_pattern = None

    def test_a_folder_by_an_odd_name_is_read_like_the_others(self):
        stream = self.service.add_folder(self.address, "A\0B \ud800")
        self.bring("One")
        self.start()
        folder = self.account.folder_ids.filtered(lambda one: one.stream == stream)
        self.assertEqual(folder.name, "A B ")
        self.assertEqual(self.get_subjects(), ["One"])

    def test_ids_that_are_none_do_not_break_the_comparison(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        now = datetime.now(timezone.utc).isoformat()
        odd = [
            {"id": ref, "receivedDateTime": f"{now[:19]}Z"}
            for ref in ("a\0b", "\ud800", LONG, None, ["x"], {}, 5, "")
        ]
        answer = Answer({self.list_key: [*odd, None, "x", *self.list_held(now)]})
        self.service.server.break_(
            self.held_pattern, "answer", answer=answer, times=1_000
        )
        self.compare()
        self.service.server.mend()
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.get_subjects(), ["One", "Two"])

    def test_a_count_beyond_all_reason_does_not_stop_a_first_reading(self):
        refs = self.deliver("One", "Two")
        self.service.server.break_(
            self.count_pattern, "answer", answer=Answer(self.count_of(refs))
        )
        self.start()
        self.assertEqual(self.get_subjects(), ["One", "Two"])

    def list_held(self, now):
        return [
            {"id": ref, "receivedDateTime": f"{now[:19]}Z"}
            for ref in self.service.held(self.address)
        ]


@tagged("post_install", "-at_install")
class TestOddAnswersOfGmail(OddAnswers, ComparingGmail):
    list_key = "messages"
    held_pattern = r"GET .*/messages\?.*before"
    count_pattern = r"GET .*/messages\?"

    def count_of(self, refs):
        return {
            "messages": [{"id": refs[1], "threadId": refs[1]}],
            "nextPageToken": "more",
            "resultSizeEstimate": 10**12,
        }


@tagged("post_install", "-at_install")
class TestOddAnswersOfOutlook(OddAnswers, ComparingOutlook):
    list_key = "value"
    held_pattern = r"GET .*/messages\?.*isDraft"
    count_pattern = r"GET .*totalItemCount"

    def count_of(self, refs):
        return {"totalItemCount": 10**12}


@tagged("post_install", "-at_install")
class TestOddFolders(MailCase):
    def test_folders_that_cannot_be_stored_are_left_out(self):
        odd = ("a\0b", "\ud800", LONG)
        streams = [
            Stream(name, name, StreamRole.OTHER) for name in ("INBOX", *odd, "Mine")
        ]
        self.mailbox._update_folders(streams)
        here = self.mailbox.folder_ids.filtered(lambda folder: not folder.missing)
        self.assertEqual(set(here.mapped("stream")), {"INBOX", "Mine"})

    def test_a_folder_by_a_long_name_is_read_on(self):
        """Folders within folders, in a script of three bytes a letter."""
        name = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9F00), k=833)))
        self.mailbox._update_folders([Stream(name, name, StreamRole.OTHER)])
        folder = self.mailbox.folder_ids.filtered(lambda one: one.stream == name)
        self.assertEqual(len(folder), 1)
        self.assertFalse(folder.missing)
        last = f"{2**32 - 1}:{2**32 - 1}"
        raw = raw_mail(to=self.mailbox.email)
        self.assertTrue(self.deliver(self.mailbox, raw, stream=name, refs=[last]))
