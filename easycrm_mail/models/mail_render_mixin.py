import re

from lxml import html

from odoo import api, models
from odoo.tools.rendering_tools import parse_inline_template

#: What a template is rendered to where its record has no value; text that no template
#: has by itself. The expression stands between the two.
MISSING_START, MISSING_END = "\ue000", "\ue001"
MISSING = re.compile(f"{MISSING_START}(.*?){MISSING_END}", re.DOTALL)

#: The tags of a template that put a value into the text.
OUTPUTS = ("t-out", "t-esc", "t-field")


class MailRenderMixin(models.AbstractModel):
    """Values that a record does not have are marked, where the caller wants them so.

    A marker is given to each expression as the default that templates may have anyway:
    whoever wrote a default of his own, or `or ""`, wants no marker.
    """

    _inherit = "mail.render.mixin"

    @api.model
    def _render_template_qweb(
        self, template_src, model, res_ids, add_context=None, options=None
    ):
        if template_src and self.env.context.get("easycrm_mark_missing"):
            template_src = self._easycrm_mark_qweb(template_src)
        return super()._render_template_qweb(
            template_src, model, res_ids, add_context=add_context, options=options
        )

    @api.model
    def _render_template_inline_template(
        self, template_txt, model, res_ids, add_context=None, options=None
    ):
        if template_txt and self.env.context.get("easycrm_mark_missing"):
            template_txt = self._easycrm_mark_inline(str(template_txt))
        return super()._render_template_inline_template(
            template_txt, model, res_ids, add_context=add_context, options=options
        )

    @api.model
    def _easycrm_mark_qweb(self, template_src):
        root = html.fragment_fromstring(str(template_src), create_parent="div")
        for output in OUTPUTS:
            for element in root.iterfind(f".//*[@{output}]"):
                if len(element) or (element.text or "").strip():
                    continue
                expression = element.get(output).strip()
                element.text = f"{MISSING_START}{expression}{MISSING_END}"
        # (the `div` is the one that was put around)
        return html.tostring(root, encoding="unicode")[5:-6]

    @api.model
    def _easycrm_mark_inline(self, template_txt):
        parts = []
        for text, expression, default in parse_inline_template(template_txt):
            parts.append(text)
            if expression:
                default = default or f"{MISSING_START}{expression}{MISSING_END}"
                parts.append(f"{{{{{expression} |||{default}}}}}")
        return "".join(parts)
