from odoo import models

from .easycrm_email_live import TIMELINE


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        def is_timeline(channel):
            return isinstance(channel, str) and channel.startswith(TIMELINE)

        # whoever may read the record: its own channel is not one that can be named
        names = filter(is_timeline, channels)
        allowed = self.env["easycrm.email.link"]._get_channels(names)
        others = [channel for channel in channels if not is_timeline(channel)]
        return super()._build_bus_channel_list(others + allowed)
