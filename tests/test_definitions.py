"""How models and fields are declared: what Odoo takes silently, and does otherwise."""

from odoo import models
from odoo.tests import tagged

from .common import MailCase

DECLARED = (models.Constraint, models.Index, models.UniqueIndex)

#: Fields that say something in the reader's language.
WORDS = {
    "easycrm.email.account": [
        *("connect_words", "hand_over_label", "left_out_words", "next_step"),
        *("owner_note", "service_line", "share_notice", "trouble", "week_line"),
        "week_words",
    ],
    "easycrm.email.bounce": ["reason"],
    "easycrm.email.erase": ["keep_words", "own_words", "shared_words"],
    "easycrm.email.hand.over": ["summary"],
    "easycrm.email.link": ["reason"],
    "easycrm.email.rule": ["scope"],
    "easycrm.email.rule.add": ["here_words"],
    "easycrm.esp": ["health"],
    "mailing.mailing": ["easycrm_sender_hint"],
    "res.config.settings": ["easycrm_unlinked_preview"],
}


@tagged("post_install", "-at_install")
class TestDefinitions(MailCase):
    def test_no_index_or_constraint_is_declared_twice(self):
        """Of two with one name the first is not made, and nobody is told."""
        for name, Model in self.env.registry.items():
            declared = [
                (key, part.__module__)
                for part in Model.mro()
                if part.__module__.startswith("odoo.addons.easycrm_mail")
                for key, value in vars(part).items()
                if isinstance(value, DECLARED)
            ]
            keys = [key for key, _module in declared]
            self.assertEqual(sorted(keys), sorted(set(keys)), f"{name}: {declared}")

    def test_words_are_made_anew_for_another_language(self):
        contexts = self.env.registry.field_depends_context
        for model, names in WORDS.items():
            for name in names:
                with self.subTest(model=model, field=name):
                    self.assertIn("lang", contexts[self.env[model]._fields[name]])
