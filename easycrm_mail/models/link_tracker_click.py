from collections import defaultdict

from odoo import api, fields, models

#: What links begin with whose clicks are kept.
WEB = ("http://", "https://")


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
        # (to a place on its page, say: no link of Odoo's, which would raise)
        rows = [row for row in rows if row[2].startswith(WEB)]
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

    def _easycrm_find_links(self, pairs):
        """Return the tracked link of each URL of a mailing, made where there is none.

        :param set pairs: (mailing, URL)
        """
        Link = self.env["link.tracker"]
        urls = defaultdict(set)
        for mailing, url in pairs:
            urls[mailing].add(url)
        links = {}
        for mailing, wanted in sorted(urls.items(), key=lambda item: item[0].id):
            known = {}
            for link in Link.search([("mass_mailing_id", "=", mailing.id)]):
                known.setdefault(link.url, link)
                known.setdefault(link.redirected_url, link)
            missing = sorted(url for url in wanted if url not in known)
            # (with a title, that it does not read the page to find one)
            values = mailing._get_link_tracker_values()
            made = Link.search_or_create(
                [{"url": url, "title": url, **values} for url in missing]
            )
            known.update(zip(missing, made, strict=True))
            links.update({(mailing, url): known[url] for url in wanted})
        return links
