from lxml import etree

from odoo import models

from ..esp import fences


class IrQweb(models.AbstractModel):
    """Rendering the same template for many people, fenced.

    With `easycrm_fenced` in its context a template is compiled so that all of its
    output that may differ is fenced; with `easycrm_compiled`, a dict, compiled once.
    """

    _inherit = "ir.qweb"

    def _get_template_cache_keys(self):
        return [*super()._get_template_cache_keys(), "easycrm_fenced"]

    def _compile(self, template):
        compiled = self.env.context.get("easycrm_compiled")
        # (what is set within such a template is asked for by this name)
        is_own = isinstance(template, etree._Element) or template == "etree._Element"
        if compiled is None or not is_own:
            return super()._compile(template)
        if template not in compiled:
            compiled[template] = super()._compile(template)
        return compiled[template]

    def _compile_directive_out(self, el, compile_context, level):
        return self._fence(super()._compile_directive_out, el, compile_context, level)

    def _compile_directive_tag_open(self, el, compile_context, level):
        if "t-tag-open" not in el.attrib:
            return super()._compile_directive_tag_open(el, compile_context, level)
        return self._fence(
            super()._compile_directive_tag_open, el, compile_context, level
        )

    def _compile_directive_set(self, el, compile_context, level):
        # (a value that is compared must be what Odoo itself compares; where it is put
        # out, it is fenced as a whole)
        within = {**compile_context, "easycrm_within_set": True}
        return super()._compile_directive_set(el, within, level)

    def _fence(self, compile_directive, el, compile_context, level):
        """Compile a directive, and write a fence before and after what it puts out."""
        if not self.env.context.get("easycrm_fenced") or compile_context.get(
            "easycrm_within_set"
        ):
            return compile_directive(el, compile_context, level)
        self._append_text(fences.OPEN, compile_context)
        code = compile_directive(el, compile_context, level)
        self._append_text(fences.CLOSE, compile_context)
        return code
