"""What holds wherever one signs in, for tests of each service."""

import json
import logging
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tools import SQL

from ..easycrm_mail.models import secrets
from ..easycrm_mail.wizards import easycrm_email_sign_in

_logger = logging.getLogger(__name__)


class SigningIn:
    """What holds wherever one signs in.

    `asks` is what the mailbox is asked when somebody has signed in.
    """

    asks = "aliases"

    # --- it connects ---

    def test_signing_in_connects_and_starts_the_first_sync(self):
        self.deliver("Offer")
        account, error = self.finish(self.get_answer(self.begin()))
        self.assertFalse(error)
        self.assertEqual(account, self.account)
        self.assertEqual(self.account.signed_in_as, self.address)
        self.assertEqual(self.account.sync_stage, "waiting")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTimeline(self.anna, ["Offer"])

    def test_signing_in_again_keeps_what_has_been_read(self):
        self.deliver("Offer")
        self.sign_in()
        self.run_crons()
        checkpoints = self.account.folder_ids.mapped("checkpoint")
        self.assertFalse(self.sign_in())
        self.assertEqual(len(self.get_grant()), 1)
        self.assertEqual(self.account.folder_ids.mapped("checkpoint"), checkpoints)

    def test_no_transaction_is_open_while_the_service_is_asked(self):
        """A commit forgets what the ORM has read: reading it again begins another."""
        released, asked = [], []

        def release(account):
            account.env.flush_all()
            account.env.invalidate_all()
            released.append(self.env.cr.sql_log_count)

        def watch(function):
            def ask(*args, **kwargs):
                asked.append((released[-1:], [self.env.cr.sql_log_count]))
                return function(*args, **kwargs)

            return ask

        SignIn = type(self.account._get_sign_in())
        Provider = type(self.account._make_api_provider(str, 1, 1))
        with (
            patch.object(type(self.account), "_release_transaction", release),
            patch.object(SignIn, "begin", watch(SignIn.begin)),
            patch.object(SignIn, "finish", watch(SignIn.finish)),
            patch.object(Provider, self.asks, watch(getattr(Provider, self.asks))),
        ):
            self.assertFalse(self.sign_in())
        self.assertEqual(len(asked), 3)
        for before, after in asked:
            self.assertEqual(before, after)

    # --- it does not ---

    def assertRefused(self, answer, words, **kwargs):
        account, error = self.finish(answer, **kwargs)
        self.assertIn(words, error)
        self.assertFalse(self.get_grant())
        return account

    def test_another_address_is_refused_and_the_account_says_so(self):
        other = f"other.{self.address}"
        answer = self.get_answer(self.begin(), other)
        self.assertRefused(answer, f"You signed in as {other}")
        self.assertIn(other, self.account.last_error)
        self.assertIn(self.address, self.account.last_error)
        self.assertEqual(self.account.sync_status, "draft")

    def test_another_address_does_not_disturb_a_mailbox_that_works(self):
        self.sign_in()
        secret = self.get_grant().secret
        self.assertIn("You signed in as", self.sign_in(f"other.{self.address}"))
        self.assertEqual(self.get_grant().secret, secret)
        self.assertFalse(self.account.last_error)

    def test_an_account_that_changes_meanwhile_gets_no_grant(self):
        Provider = type(self.account._make_api_provider(str, 1, 1))
        ask = getattr(Provider, self.asks)

        def change(provider):
            self.account.user_id = self.jonas
            return ask(provider)

        answer = self.get_answer(self.begin())
        with patch.object(Provider, self.asks, change):
            self.assertRefused(answer, "was changed meanwhile")

    def test_an_account_that_is_deleted_meanwhile_is_told(self):
        Provider = type(self.account._make_api_provider(str, 1, 1))
        ask = getattr(Provider, self.asks)

        def delete(provider):
            self.account.unlink()
            return ask(provider)

        answer = self.get_answer(self.begin())
        with patch.object(Provider, self.asks, delete):
            account, error = self.finish(answer)
        self.assertFalse(account)
        self.assertIn("was changed meanwhile", error)

    def test_the_same_address_in_capitals_keeps_the_grant(self):
        self.sign_in()
        self.as_user(self.account, self.mira).email = self.address.upper()
        self.assertTrue(self.get_grant())

    def test_who_refuses_is_told_what_is_missing(self):
        answer = self.get_answer(self.begin(), accept=False)
        self.assertRefused(answer, "You stopped the sign-in")
        self.assertIn("You stopped", self.account.last_error)

    def test_a_reconnect_that_was_stopped_leaves_the_reason_that_stands(self):
        self.sign_in()
        self.service.revoke()
        self.run_crons()
        before = self.account.last_error
        self.finish(self.get_answer(self.begin(), accept=False))
        self.assertEqual(self.account.last_error, before)
        self.assertEqual(self.account.sync_status, "error")

    def test_an_answer_counts_once(self):
        answer = self.get_answer(self.begin())
        self.assertFalse(self.finish(answer)[1])
        account, error = self.finish(answer)
        self.assertFalse(account)
        self.assertIn("was used already", error)
        self.assertTrue(self.get_grant())

    def test_an_answer_that_failed_is_used_up_too(self):
        answer = self.get_answer(self.begin(), f"other.{self.address}")
        self.finish(answer)
        self.assertRefused(answer, "was used already")

    def test_an_answer_is_its_users(self):
        answer = self.get_answer(self.begin())
        self.assertFalse(self.assertRefused(answer, "somebody else", user=self.jonas))
        self.assertFalse(self.assertRefused(answer, "somebody else", user=self.sofia))
        self.assertFalse(self.finish(answer)[1], "the user's own still counts")

    def test_an_answer_is_not_that_of_the_next_owner(self):
        """He may sign in to the mailbox, but not by what another has begun."""
        answer = self.get_answer(self.begin())
        self.account.user_id = self.jonas
        self.assertRefused(answer, "somebody else", user=self.jonas)

    def test_an_answer_expires(self):
        with patch.object(easycrm_email_sign_in, "MINUTES", -1):
            answer = self.get_answer(self.begin())
        self.assertRefused(answer, "too old")

    def test_a_state_that_was_tampered_with_is_none(self):
        answer = self.get_answer(self.begin())
        state = answer["state"]
        for forged in (
            "",
            "x",
            "é",
            "A" * 5000,
            state[:-4],
            state[:-1] + ("A" if state[-1] != "A" else "B"),
            state[:20] + ("A" if state[20] != "A" else "B") + state[21:],
            json.dumps([1, self.mira.id]),
        ):
            self.assertRefused({**answer, "state": forged}, "too old")
        self.assertRefused({"code": answer["code"]}, "too old")
        self.assertFalse(self.finish(answer)[1])

    def test_a_state_is_its_services(self):
        answer = self.get_answer(self.begin())
        other = "gmail" if self.service.provider == "outlook" else "outlook"
        Account = self.as_user(self.account, self.mira).browse()
        self.assertIn("too old", Account._finish_sign_in(other, answer)[1])
        self.assertFalse(self.get_grant())

    def test_a_state_is_its_services_though_the_account_moves_to_another(self):
        answer = self.get_answer(self.begin())
        other = "gmail" if self.service.provider == "outlook" else "outlook"
        self.account.provider = other
        Account = self.as_user(self.account, self.mira).browse()
        self.assertIn("too old", Account._finish_sign_in(other, answer)[1])

    def test_the_code_of_another_sign_in_is_refused(self):
        """Whoever slips a code of his own into somebody's answer gets nothing."""
        theirs = self.get_answer(self.begin(), f"other.{self.address}")
        mine = self.get_answer(self.begin())
        self.assertRefused({**mine, "code": theirs["code"]}, "")

    def test_only_who_may_change_the_account_signs_in(self):
        self.account.member_ids = self.jonas
        with self.assertRaises(AccessError):
            self.begin(user=self.jonas)
        with self.assertRaises(AccessError):
            self.begin(user=self.leonie)
        for user, may in ((self.mira, True), (self.sofia, True), (self.jonas, False)):
            self.assertEqual(self.as_user(self.account, user).may_change, may)

    def test_without_a_registration_the_administrator_is_named(self):
        service = "google" if self.service.provider == "gmail" else "microsoft"
        self.env["ir.config_parameter"].set_param(
            f"easycrm_mail.{service}_client_id", False
        )
        with self.assertRaisesRegex(UserError, "An administrator does it once"):
            self.begin()

    def test_without_signing_in_nothing_starts(self):
        with self.assertRaisesRegex(UserError, "Sign in to"):
            self.as_user(self.account, self.mira).action_sync_now()

    # --- the grant ends ---

    def test_a_permission_that_was_taken_back_asks_to_reconnect(self):
        self.deliver("One")
        self.sign_in()
        self.run_crons()
        self.service.revoke()
        self.deliver("Two")
        self.run_crons()
        account = self.account
        self.assertEqual(account.sync_status, "error")
        self.assertEqual(account.last_error_kind, "reconnect")
        self.assertIn("has expired or was taken back", account.last_error)
        self.assertFalse(account.next_sync_at, "asking again is of no use")
        self.assertEqual(len(account.activity_ids), 1)
        url = self.as_user(account, self.mira).action_reconnect()["url"]
        self.assertFalse(self.finish(self.get_answer(url))[1])
        self.run_crons()
        self.assertEqual(account.sync_status, "ok", account.last_error)
        self.assertFalse(account.activity_ids)
        self.assertTimeline(self.anna, ["Two", "One"])

    def test_a_grant_that_is_gone_asks_to_reconnect(self):
        self.sign_in()
        self.get_grant().unlink()
        self.run_crons()
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.assertIn("Sign in to", self.account.last_error)

    def test_disconnecting_forgets_the_grant_and_keeps_the_mail(self):
        self.deliver("One")
        self.sign_in()
        self.run_crons()
        checkpoints = self.account.folder_ids.mapped("checkpoint")
        self.as_user(self.account, self.mira).action_disconnect()
        self.assertFalse(self.get_grant())
        self.assertEqual(self.account.sync_status, "paused")
        self.assertFalse(self.account.signed_in_as)
        self.assertTimeline(self.anna, ["One"])
        self.deliver("Two")
        self.assertFalse(self.sign_in())
        self.assertEqual(self.account.folder_ids.mapped("checkpoint"), checkpoints)
        self.run_crons()
        self.assertTimeline(self.anna, ["Two", "One"])

    def test_another_owner_or_address_forgets_the_grant(self):
        for values in (
            {"user_id": self.jonas.id},
            {"email": f"other.{self.address}"},
            {"provider": "imap" if self.account.provider != "imap" else "gmail"},
            {"shared_mailbox": True},
        ):
            self.sign_in()
            self.assertTrue(self.get_grant())
            self.account.write(
                {name: self.account[name] for name in ("email", "provider")}
            )
            self.assertForgets(values)

    def assertForgets(self, values):
        """Assert that a change of the account forgets the grant; undo it."""
        self.assertTrue(self.get_grant(), "nothing has changed")
        with self.env.cr.savepoint() as savepoint:
            self.account.write(values)
            self.assertFalse(self.get_grant(), values)
            savepoint.rollback()
        self.env.invalidate_all()

    # --- secrets ---

    def test_no_secret_is_in_the_database(self):
        self.begin()
        self.sign_in()
        self.env.flush_all()
        secret = secrets.decrypt(self.get_grant().secret)
        for table in (
            "easycrm_email_grant",
            "easycrm_email_sign_in",
            "easycrm_email_account",
            "ir_config_parameter",
        ):
            query = SQL("SELECT to_jsonb(t)::text FROM %s t", SQL.identifier(table))
            rows = "".join(row[0] for row in self.env.execute_query(query))
            self.assertNotIn(secret, rows)
            self.assertNotIn(secret[:60], rows)
            self.assertNotIn("code_verifier", rows)
            self.assertNotIn("our client's secret", rows)

    def test_no_secret_is_in_the_log(self):
        with self.assertLogs(level=logging.DEBUG) as logs:
            self.deliver("One")
            answer = self.get_answer(self.begin())
            self.finish(answer)
            self.service.expire_tokens()
            self.run_cron("_cron_backfill")
            _logger.info("the log is not empty")
        kept = json.loads(secrets.decrypt(self.get_grant().secret))
        found = list(self.get_strings(kept)) + [answer["code"], "our client's secret"]
        self.assertGreaterEqual(len(found), 4)
        for line in logs.output:
            if "urllib3.connectionpool" in line or "odoo.sql_db" in line:
                continue  # (not shown: Odoo's own levels keep them out)
            for secret in found:
                self.assertNotIn(secret, line)

    def get_strings(self, value):
        """Yield the long strings that are kept: tokens, and nothing that is short."""
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in ("secret", "access", "refresh"):
                    yield inner
                yield from self.get_strings(inner)

    def test_nobody_reads_a_grant(self):
        self.sign_in()
        for user in (self.mira, self.sofia, self.admin):
            grant = self.as_user(self.get_grant(), user)
            with self.assertRaises(AccessError):
                grant.read(["secret"])
            with self.assertRaises(UserError):
                grant.export_data(["secret"])
            with self.assertRaises(AccessError):
                grant.search([("secret", "like", "a")])
            with self.assertRaises(AccessError):
                grant.write({"secret": "x"})
            with self.assertRaises(AccessError):
                grant.create({"account_id": self.account.id, "secret": "x"})

    def test_a_neutralized_copy_signs_in_nowhere(self):
        self.sign_in()
        self.begin()
        self.env.flush_all()
        self.env.cr.execute(";".join(get_neutralization_queries(["easycrm_mail"])))
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()
        self.assertFalse(self.get_grant())
        self.assertFalse(self.env["easycrm.email.sign.in"].search([]))
        self.assertEqual(self.account.sync_status, "paused")
        with self.assertRaises(UserError):
            self.begin()

    def test_a_key_that_has_changed_asks_to_sign_in_again(self):
        self.sign_in()
        self.get_grant().secret = "not of this key"
        with self.assertRaisesRegex(UserError, "Sign in again"):
            self.account._make_provider()
