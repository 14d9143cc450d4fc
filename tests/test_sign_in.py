"""Signing in at Google and Microsoft: what connects a mailbox, and what must not."""

from odoo.tests import TransactionCase, tagged

from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures, raw_mail
from .servers.google_oauth import walk_consent
from .signing_in import SigningIn


class SigningInByApi(SigningIn):
    """What holds where the service knows the mailbox's addresses."""

    def test_the_other_addresses_of_the_mailbox_are_its_own(self):
        self.sign_in()
        self.assertIn(f"alias.{self.address}", self.account.alias_emails)

    def test_an_alias_of_a_contact_is_left_out(self):
        self.bruno.email = f"alias.{self.address}"
        self.follow_addresses()
        self.sign_in()
        self.assertNotIn(f"alias.{self.address}", self.account.alias_emails or "")

    def test_an_account_by_an_alias_is_the_mailbox_too(self):
        self.account.email = f"alias.{self.address}"
        self.assertFalse(self.sign_in(self.address))
        self.assertTrue(self.get_grant())

    def test_a_token_that_is_refused_at_once_is_refreshed_and_the_new_grant_kept(self):
        """Microsoft's refresh token is another one then, and the old one ends."""
        answer = self.get_answer(self.begin())
        self.service.server.break_(
            self.service.aliases_pattern, "none", first=self.service.expire_tokens
        )
        self.assertFalse(self.finish(answer)[1])
        self.service.expire_tokens()
        self.deliver("One")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def test_who_may_send_as_it_is_not_taken_for_the_mailbox_that_was_read(self):
        self.deliver("Offer")
        self.sign_in()
        self.run_crons()
        secret = self.get_grant().secret
        private = f"private.{self.address}"
        self.service.add_mailbox(private, [self.address])
        self.assertIn(f"You signed in as {private}", self.sign_in(private))
        self.assertEqual(self.get_grant().secret, secret)
        self.as_user(self.account, self.mira).action_disconnect()
        self.assertIn(f"You signed in as {private}", self.sign_in(private))
        self.assertFalse(self.get_grant())
        self.assertFalse(self.sign_in())

    def test_the_mailbox_behind_an_alias_stays_it(self):
        self.account.email = f"alias.{self.address}"
        self.sign_in(self.address)
        self.run_crons()
        self.assertTrue(self.account.last_sync)
        self.assertFalse(self.sign_in(self.address))
        self.as_user(self.account, self.mira).action_disconnect()
        self.assertFalse(self.sign_in(self.address))


@tagged("post_install", "-at_install")
class TestOutlookSignIn(SigningInByApi, ApiMailbox, MailFixtures, TransactionCase):
    """At Microsoft."""

    allow_inherited_tests_method = True
    service_class = OutlookService

    def test_a_shared_mailbox_is_opened_by_whoever_may(self):
        shared = f"sales.{self.address}"
        server = self.service.server
        server.add_mailbox(shared, [], members=[self.address])
        self.account.write({"email": shared, "shared_mailbox": True})
        self.assertFalse(self.sign_in(self.address))
        self.assertEqual(self.account.signed_in_as, self.address)
        self.service.deliver(shared, self.raw("For all"))
        self.run_cron("_cron_backfill")
        self.assertTimeline(self.anna, ["For all"])

    def test_a_shared_mailbox_is_closed_to_others(self):
        shared = f"sales.{self.address}"
        self.service.server.add_mailbox(shared, [], members=[])
        self.account.write({"email": shared, "shared_mailbox": True})
        answer = self.get_answer(self.begin(), self.address)
        self.assertRefused(answer, "does not let")

    def raw(self, subject):
        return raw_mail(subject=subject, to=self.account.email)


@tagged("post_install", "-at_install")
class TestGmailSignIn(SigningInByApi, ApiMailbox, MailFixtures, TransactionCase):
    """At Google."""

    allow_inherited_tests_method = True
    service_class = GmailService

    def test_disconnecting_gives_the_grant_back(self):
        self.sign_in()
        [consent] = self.get_consents()
        action = self.as_user(self.account, self.mira).action_disconnect()
        self.assertEqual(action["params"]["type"], "info")
        self.assertNotIn(consent, self.service.server.oauth.consents)

    def get_consents(self):
        """Return what this mailbox's user has consented to, at Google."""
        consents = self.service.server.oauth.consents
        return [one for one in consents if one.email == self.address]

    def test_a_mailbox_that_goes_or_changes_gives_its_grant_back(self):
        for change in (
            lambda account: account.with_user(self.sofia).write({"user_id": 2}),
            lambda account: account.write({"email": f"other.{self.address}"}),
            lambda account: account.unlink(),
        ):
            self.assertFalse(self.sign_in())
            change(self.account)
            self.assertFalse(self.get_grant())
            self.assertTrue(self.get_consents(), "not before it is certain")
            self.env.cr.postcommit.run()
            self.assertFalse(self.get_consents())
            if self.account.exists():
                self.account.write({"user_id": self.mira.id, "email": self.address})

    def test_accounts_that_go_together_give_their_grant_back(self):
        self.sign_in()
        twin = self.account.copy({"email": f"alias.{self.address}"})
        self.assertFalse(self.finish(self.get_answer(self.begin(twin)))[1])
        (self.account | twin).unlink()
        # (one call: it takes back all that the person has given)
        self.service.server.calls.clear()
        self.env.cr.postcommit.run()
        self.assertEqual(len(self.service.server.calls), 1)
        self.assertIn("/revoke", self.service.server.calls[0])

    def test_a_grant_that_another_account_has_too_is_not_given_back(self):
        """Google takes all grants of a person and client back at once."""
        self.sign_in()
        self.account.copy({"email": f"alias.{self.address}"})
        twin = self.env["easycrm.email.account"].search([], order="id desc", limit=1)
        self.assertFalse(self.finish(self.get_answer(self.begin(twin)))[1])
        action = self.as_user(twin, self.mira).action_disconnect()
        self.assertEqual(action["params"]["type"], "warning")
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def test_no_mailbox_is_shared_at_google(self):
        """The box that Microsoft 365 has may have been ticked before."""
        self.account.shared_mailbox = True
        other = f"other.{self.address}"
        answer = self.get_answer(self.begin(), other)
        self.assertRefused(answer, f"You signed in as {other}")

    def test_a_permission_that_was_left_out_is_asked_for_again(self):
        answer = walk_consent(self.begin(), leave_out=["send"], email=self.address)
        self.assertRefused(answer, "leave all boxes ticked")
