from odoo import models


class EasycrmEmailAccount(models.Model):
    """What went wrong with a mailbox, in its owner's language and plain words."""

    _inherit = "easycrm.email.account"

    def _explain_missing(self, name):
        """Say, in the owner's language, that a folder is gone."""
        return self.with_context(lang=self.user_id.lang).env._(
            "The folder %s is not there any more.", name
        )

    def _explain_refused(self, kind):
        """Say, in the owner's language, that the database did not take a mail."""
        return self.with_context(lang=self.user_id.lang).env._(
            "The database refused it (%s).", kind
        )

    def _explain_error(self, error):
        """Put an error of a provider into its owner's language and plain words.

        :param MailboxError error:
        """
        self.ensure_one()
        account = self.with_context(lang=self.user_id.lang)
        words = account._get_error_words()
        if self.provider != "imap":
            words |= account._get_service_words()
        if self.sign_in_service:
            words |= account._get_sign_in_words(error.detail)
        return words.get(error.code) or error.detail or error.code

    def _get_error_words(self):
        """Return the words of each error code, for any mailbox."""
        env = self.env
        values = {
            "server": self._get_server_title(),
            "port": self.imap_port,
            "email": self.email,
        }
        return self._get_server_words(values) | {
            "grant": env._(
                "The permission to read %(email)s has expired or was taken back.",
                **values,
            ),
            "checkpoint": env._("The mailbox has to be read anew."),
            "absent": env._("The email was read, and could not be stored."),
            "mail": env._("The email is not in the mailbox any more."),
            "folder": env._("A folder is not in the mailbox any more."),
            "forbidden": env._(
                "%(server)s does not let this mailbox be read by IMAP. It is switched "
                "on in the mailbox’s own settings.",
                **values,
            ),
            "internal": env._(
                "Something went wrong on our side. It is in the server's log."
            ),
        }

    def _get_server_words(self, values):
        """Return the words of what may be wrong with any server.

        :param dict values: `server`, `port`, `email`
        """
        env = self.env
        values = {**values, "login": self.imap_login or self.email}
        values["service"] = self._get_service_title(self.imap_service)
        return {
            "entered": env._(
                "What is entered for %(server)s cannot be right. Check server, port, "
                "login and password.",
                **values,
            ),
            "host": env._(
                "The mail server %(server)s was not found. Is its name right?", **values
            ),
            "refused": env._("%(server)s does not answer on port %(port)s.", **values),
            "timeout": env._(
                "The mail server %(server)s did not answer in time.", **values
            ),
            "dropped": env._(
                "The mail server %(server)s broke off the connection.", **values
            ),
            "busy": env._(
                "The mail server %(server)s asks to come back later.", **values
            ),
            "answer": env._(
                "The mail server %(server)s gave an answer that makes no sense.",
                **values,
            ),
            "password": self._explain_password(values),
            "password_off": self._explain_no_password(values["server"]),
            "token": env._(
                "%(server)s does not open the mailbox of %(login)s for this sign-in. "
                "Sign in again, as %(login)s. If that does not help, the administrator "
                "of the mailbox has to allow mail programs (IMAP and SMTP) for it.",
                **values,
            ),
            "token_off": env._(
                "%(server)s takes no sign-in with %(service)s. Enter the password.",
                **values,
            ),
            "unsafe": env._(
                "A sign-in is only sent encrypted: choose TLS or STARTTLS."
            ),
            "tls": env._(
                "%(server)s does not speak the chosen encryption on port %(port)s.",
                **values,
            ),
            "certificate": env._(
                "The certificate of %(server)s is not valid for that name, or nobody "
                "known has signed it.",
                **values,
            ),
        }

    def _explain_password(self, values):
        """Say that a password is wrong, or that it cannot be right."""
        known = self._get_known_host(self.imap_host)
        if not known:
            return self.env._(
                "%(server)s does not accept the password for the login %(login)s.",
                **values,
            )
        if not known["password_note"]:
            return self._explain_no_password(values["server"])
        return self.env._(
            "%(server)s does not accept the password for the login %(login)s. It takes "
            "an app password, made in the mailbox’s security settings, or a sign-in "
            "with %(service)s.",
            **values,
        )

    def _get_service_words(self):
        """Return the words that differ for a mailbox of Google or Microsoft."""
        env = self.env
        values = {"service": self._get_service_title(self.provider)}
        return {
            "host": env._("%(service)s was not found on the network.", **values),
            "refused": env._("%(service)s cannot be reached.", **values),
            "timeout": env._("%(service)s did not answer in time.", **values),
            "dropped": env._("%(service)s broke off the connection.", **values),
            "busy": env._("%(service)s asks to come back later.", **values),
            "answer": env._(
                "%(service)s gave an answer that makes no sense.", **values
            ),
            "tls": env._("No safe connection to %(service)s came about.", **values),
        }

    def _get_sign_in_words(self, detail):
        """Return the words of what may be wrong with a sign-in.

        :param str detail: what the service said
        """
        env = self.env
        values = {
            "service": self._get_service_title(self.sign_in_service),
            "email": self.email,
            "detail": detail or env._("no reason given"),
        }
        return {
            "declined": env._(
                "You stopped the sign-in at %(service)s. Nothing has changed.", **values
            ),
            "consent": env._(
                "%(service)s did not give permission both to read and to send. Sign in "
                "again, and leave all boxes ticked.",
                **values,
            ),
            "approval": env._(
                "Your organisation has to allow this first: ask the administrator of "
                "its %(service)s accounts to give this app admin consent.",
                **values,
            ),
            "sign_in": env._(
                "The sign-in at %(service)s took too long or was used before. Press "
                "the button once more.",
                **values,
            ),
            "forbidden": env._(
                "%(service)s does not let %(email)s be read: %(detail)s", **values
            ),
            "client": env._(
                "%(service)s does not know the client ID in Settings → Email for CRM. "
                "An administrator copies it there again. (%(detail)s)",
                **values,
            ),
            "secret": env._(
                "The client secret in Settings → Email for CRM is not the one that "
                "%(service)s knows. An administrator copies its value there again, or "
                "makes a new one. (%(detail)s)",
                **values,
            ),
            "secret_expired": env._(
                "The client secret in Settings → Email for CRM has expired. An "
                "administrator makes a new one at %(service)s and enters it there. "
                "(%(detail)s)",
                **values,
            ),
            "tenant": env._(
                "%(service)s does not know the tenant in Settings → Email for CRM. "
                "(%(detail)s)",
                **values,
            ),
            "tenant_name": env._(
                "“%(detail)s” is not a tenant. An administrator copies the Directory "
                "(tenant) ID from the app's Overview into Settings → Email for CRM.",
                **values,
            ),
            "redirect": env._(
                "%(service)s does not know the redirect URI of this database. An "
                "administrator copies it from Settings → Email for CRM into the "
                "registration at %(service)s. (%(detail)s)",
                **values,
            ),
            "key": env._(
                "The stored sign-in cannot be read any more: the encryption key "
                "(easycrm_mail_key) has changed or is not valid."
            ),
        }

    def _explain_sending(self, error):
        """Say, in the owner's language, what keeps mail from being sent.

        :param MailboxError error: of the outgoing server
        """
        self.ensure_one()
        account = self.with_context(lang=self.user_id.lang)
        values = {
            "server": self.smtp_host,
            "port": self.smtp_port,
            "email": self.email,
        }
        words = account._get_error_words() | account._get_server_words(values)
        if self.sign_in_service:
            words |= account._get_sign_in_words(error.detail)
        words |= {
            "forbidden": account.env._(
                "%(server)s does not let this mailbox send by SMTP. Its administrator "
                "can switch that on.",
                **values,
            ),
        }
        return words.get(error.code) or error.detail or error.code

    def _get_server_title(self):
        """Return what the mailbox's server is called, for people."""
        if self.provider == "imap":
            return self.imap_host or self.email
        return self._get_service_title(self.provider)
