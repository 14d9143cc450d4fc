from odoo import api, fields, models


class LinkTrackerClick(models.Model):
    _inherit = "link.tracker.click"

    easycrm_event_id = fields.Many2one(
        "easycrm.esp.event",
        string="Reported As",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )

    @api.model
    def _easycrm_add(self, rows):
        """Write clicks that a bulk sender has reported.

        :param list rows: (event id, recipient id, URL, IP address, …)
        """
        if not rows:
            return self
        traces = self.env["mailing.trace"].browse({row[1] for row in rows})
        traces = {trace.id: trace for trace in traces}
        links = self._easycrm_find_links(
            {(traces[row[1]].mass_mailing_id, row[2]) for row in rows}
        )
        return self.create(
            [
                {
                    "easycrm_event_id": event_id,
                    "link_id": links[traces[trace_id].mass_mailing_id, url].id,
                    "mailing_trace_id": trace_id,
                    "mass_mailing_id": traces[trace_id].mass_mailing_id.id,
                    "campaign_id": traces[trace_id].campaign_id.id,
                    "ip": ip,
                }
                for event_id, trace_id, url, ip, *_rest in rows
            ]
        )

    @api.model
    def _easycrm_forget(self, name, records):
        """Delete the clicks that were reported about something that is deleted now.

        The database would null them for the one reason and delete them for another, and
        trips over itself.

        :param str name: of the field that says what they are about
        """
        self.sudo().search(
            [("easycrm_event_id", "!=", False), (name, "in", records.ids)]
        ).unlink()

    def _easycrm_find_links(self, pairs):
        """Return the tracked link of each URL of a mailing, made where there is none.

        :param set pairs: (mailing, URL)
        """
        Link = self.env["link.tracker"]
        links = {}
        for mailing, url in sorted(pairs, key=lambda pair: (pair[0].id, pair[1])):
            known = Link.search([("mass_mailing_id", "=", mailing.id)])
            link = known.filtered(
                lambda link, url=url: url in (link.url, link.redirected_url)
            )[:1]
            links[mailing, url] = link or Link.create(
                # (with a title, that it does not read the page to find one)
                {"url": url, "title": url, **mailing._get_link_tracker_values()}
            )
        return links
