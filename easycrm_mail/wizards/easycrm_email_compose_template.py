import base64
import re

from lxml import etree, html
from markupsafe import Markup

from odoo import Command, api, models
from odoo.exceptions import UserError

from ..models.mail_render_mixin import MISSING

#: How a value that the record does not have is marked in the text.
MISSING_CLASS = "o_easycrm_missing"
MISSING_MARK = Markup(
    '<span class="o_easycrm_missing" data-expression="%s" data-label="%s" '
    'data-words="%s">%s</span>'
)

#: A missing value in a subject, which cannot be more than text.
BRACES = re.compile(r"\{\{([^{}]*)\}\}")


class EasycrmEmailCompose(models.TransientModel):
    """Templates: shown with the record's values, and what of them is missing.

    For one record the window holds the text with its values; for several the template
    itself, which is rendered for each when it is sent.
    """

    _inherit = "easycrm.email.compose"

    @api.depends("template_id")
    def _compute_subject(self):
        # (else it is what was written)
        many = self.filtered(lambda compose: compose.template_id and compose.many)
        return super(EasycrmEmailCompose, many)._compute_subject()

    @api.depends("template_id")
    def _compute_body(self):
        many = self.filtered(lambda compose: compose.template_id and compose.many)
        return super(EasycrmEmailCompose, many)._compute_body()

    def _is_body_locked(self):
        """Tell whether the text is the template's own for each of several records.

        Who may not edit templates may use one as it is: core renders it as it was
        saved, whatever the window holds.
        """
        self.ensure_one()
        return self.many and not self.can_edit_body

    def easycrm_get_templates(self):
        """Return the templates for this kind of record, one's own first.

        :return: list of dict with `id`, `name` and `mine`
        """
        self.ensure_one()
        if not self.res_model:
            return []
        templates = self.env["mail.template"].search(
            [("model", "=", self.res_model)], limit=200
        )
        mine = templates.filtered(lambda template: template.user_id == self.env.user)
        return [
            {"id": template.id, "name": template.name, "mine": template in mine}
            for template in mine | templates
        ]

    def easycrm_use_template(self, template_id):
        """Put a template in: its subject and body take the place of those here.

        Its files take the place of those of the template before; one's own stay.

        :return: dict, see `_get_window`
        :raise AccessError: the template is not for this user
        :raise UserError: it is for other records
        """
        self.ensure_one()
        template = self.env["mail.template"].browse(template_id)
        template.check_access("read")
        records = self._get_records()
        if not records or template.model != records._name:
            raise UserError(self.env._("This template is for other records."))
        if self.many and template.sudo().report_template_ids:
            raise UserError(
                self.env._(
                    "This template makes a document for each record. Use it for one "
                    "record at a time."
                )
            )
        kept = self._drop_template_files()
        if self.many:
            self.template_id = template
            self._add_copies(template.attachment_ids.sudo())
            self._set_taken("template", (self.attachment_ids - kept).ids)
            return self._get_window()
        # what a template says was allowed when it was saved
        rendered = template.with_context(easycrm_mark_missing=True)._generate_template(
            records.ids,
            ("subject", "body_html", "attachment_ids", "report_template_ids"),
        )[records.id]
        body = self._mark_missing_html(rendered.get("body_html") or "")
        signature = self._get_signature()
        self.write(
            {
                "template_id": template.id,
                "subject": self._mark_missing_text(rendered.get("subject") or ""),
                "body": Markup("%s%s") % (body, signature),
            }
        )
        self._take_template_files(rendered)
        self._set_taken("template", (self.attachment_ids - kept).ids)
        return self._get_window()

    def _drop_template_files(self):
        """Take out what came with the template before; return what stays."""
        dropped = set(self._get_taken("template"))
        self.attachment_ids = self.attachment_ids.filtered(
            lambda file: file.id not in dropped
        )
        return self.attachment_ids

    def _take_template_files(self, rendered):
        """Add copies of a template's files, and the documents that it makes."""
        Attachment = self.env["ir.attachment"]
        static = Attachment.browse(rendered.get("attachment_ids") or [])
        self._add_copies(static.sudo())
        for name, content in rendered.get("attachments") or []:
            self.attachment_ids += Attachment.create(
                {
                    "name": name,
                    "raw": base64.b64decode(content),
                    "res_model": self._name,
                    "res_id": self.id,
                }
            )

    def _add_copies(self, files):
        """Add copies of files that may be read; their bytes are stored once."""
        for file in files:
            copied = file.copy({"res_model": self._name, "res_id": self.id})
            self.attachment_ids += copied.sudo(False)

    # --- values that are missing ---

    @api.model
    def _mark_missing_html(self, rendered):
        return Markup(
            MISSING.sub(lambda found: self._get_mark(found.group(1)), str(rendered))
        )

    def _get_mark(self, expression):
        # (as text of the HTML it was escaped already)
        label = self._get_label(html.fromstring(f"<p>{expression}</p>").text or "")
        words = self.env._("%s: no value", label)
        expression = Markup(expression).unescape()
        return MISSING_MARK % (expression, label, words, words)

    def _mark_missing_text(self, rendered):
        """Mark in the subject: in braces, as it cannot be more than text."""

        def get_words(found):
            return f"{{{{{self._get_label(found.group(1))}}}}}"

        return MISSING.sub(get_words, rendered)

    def _get_label(self, expression):
        """Return what a value is called on the record's form; else its expression."""
        path = expression.strip().split(".")
        model, label = self.env[self.res_model], expression
        if path[0] != "object":
            return expression
        for name in path[1:]:
            field = model._fields.get(name) if model is not None else None
            if field is None:
                return expression
            label = field._description_string(self.env)
            model = self.env[field.comodel_name] if field.relational else None
        return label

    def _get_missing(self, subject, body):
        """Return what values are missing, each once, as the user knows them."""
        missing = []
        # (without a template, braces are what somebody wrote)
        if self.template_id:
            missing += [name.strip() for name in BRACES.findall(subject or "")]
        if body and MISSING_CLASS in body:
            root = html.fragment_fromstring(str(body), create_parent="div")
            for mark in root.iterfind(f".//span[@class='{MISSING_CLASS}']"):
                missing.append(mark.get("data-label") or mark.text_content())
        return list(dict.fromkeys(missing))

    def _check_missing(self, subject, body, name=None):
        missing = self._get_missing(subject, body)
        if not missing:
            return
        values = {"values": ", ".join(missing), "name": name}
        if name:
            raise UserError(
                self.env._(
                    "%(name)s has no value for: %(values)s. It is not sent as a blank: "
                    "fill it in there, or take %(name)s out.",
                    **values,
                )
            )
        raise UserError(
            self.env._(
                "Values are missing: %(values)s. They are not sent as blanks.", **values
            )
        )

    # --- save as template ---

    def easycrm_save_template(self, name, values):
        """Save what is written as a template of one's own.

        Missing values become the template's placeholders again.

        :param dict values: see `easycrm_save`
        :return: dict with `id` and `name`
        :raise AccessError: it holds code, and the user may not edit such templates
        """
        self.ensure_one()
        name = " ".join(str(name or "").split())
        if not name or not self.res_model:
            raise UserError(self.env._("Give the template a name."))
        self._write_window(values)
        template = self.env["mail.template"].create(
            {
                "name": name,
                "model_id": self.env["ir.model"]._get_id(self.res_model),
                "subject": self.subject,
                "body_html": self._get_template_body(),
                "user_id": self.env.uid,
                "use_default_to": True,
            }
        )
        for file in self.attachment_ids:
            copied = file.copy({"res_model": template._name, "res_id": template.id})
            template.attachment_ids = [Command.link(copied.id)]
        self.template_id = template
        return {"id": template.id, "name": template.name}

    def _get_template_body(self):
        """Return the body without the signature; what is missing is a placeholder."""
        root = html.fragment_fromstring(str(self.body or ""), create_parent="div")
        for signature in root.find_class("o-signature-container"):
            signature.drop_tree()
        for mark in root.find_class(MISSING_CLASS):
            value = etree.Element("t", {"t-out": mark.get("data-expression") or ""})
            value.tail = mark.tail
            mark.getparent().replace(mark, value)
        return html.tostring(root, encoding="unicode")[5:-6]
