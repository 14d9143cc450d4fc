"""The Settings page as an administrator fills it, for tests of it."""

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from .common import MailCase


class SettingsCase(MailCase, CronMixinCase):
    def save(self, **values):
        """Change these on the Settings page, and save it."""
        names = {f"easycrm_{name}": value for name, value in values.items()}
        Settings = self.env["res.config.settings"].with_user(self.admin)
        Settings.create(names).execute()
        self.env.flush_all()

    def read(self):
        """Return what the Settings page shows."""
        Settings = self.env["res.config.settings"].with_user(self.admin)
        return {
            name.removeprefix("easycrm_"): value
            for name, value in Settings.default_get(list(Settings._fields)).items()
            if name.startswith("easycrm_")
        }

    def get_param(self, name):
        return self.env["ir.config_parameter"].get_param(f"easycrm_mail.{name}")

    def run_backfill(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            account = self.env["easycrm.email.account"].with_env(self.env(cr=cr))
            account.sudo()._cron_backfill()
        self.env.invalidate_all()
