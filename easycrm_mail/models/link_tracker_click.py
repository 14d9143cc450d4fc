from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

#: What links begin with whose clicks are kept.
WEB = ("http://", "https://")

#: What Odoo calls a link that is a picture.
PICTURE = "[media]"

#: What a tracked `link` is called: by its words, else by where it leads.
LINK_NAME = SQL(
    r"""
    CASE WHEN coalesce(link.label, '') = '' OR starts_with(link.label, %s)
        THEN regexp_replace(link.url, '^https?://(www\.)?', '')
        ELSE link.label END
    """,
    PICTURE,
)


class LinkTracker(models.Model):
    _inherit = "link.tracker"

    # the links of a mailing, which its results and its clicks ask for
    _easycrm_mailing_idx = models.Index(
        "(mass_mailing_id) WHERE mass_mailing_id IS NOT NULL"
    )


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
        mailings = {trace.id: trace.mass_mailing_id for trace in traces}
        links = self._easycrm_find_links({(mailings[row[1]], row[2]) for row in rows})
        self.flush_model()
        now = self.env.cr.now()
        made = []
        for event_id, trace_id, url, ip, *_rest in rows:
            mailing = mailings[trace_id]
            link = links[mailing, url]
            made.append(
                (
                    *(event_id, link.id, trace_id, mailing.id),
                    *(link.campaign_id.id or None, ip),
                    *(self.env.uid, now, self.env.uid, now),
                )
            )
        found = self.env.cr.execute_values(
            """
            INSERT INTO link_tracker_click
                (easycrm_event_id, link_id, mailing_trace_id, mass_mailing_id,
                 campaign_id, ip, create_uid, create_date, write_uid, write_date)
            VALUES %s RETURNING id
            """,
            made,
            page_size=len(made),
            fetch=True,
        )
        # (written in bulk, past the ORM: it is told what hangs on them)
        self.invalidate_model(flush=False)
        traces.invalidate_recordset(["links_click_ids"], flush=False)
        clicked = self.env["link.tracker"].union(*links.values())
        clicked.invalidate_recordset(["link_click_ids"], flush=False)
        self.env.add_to_compute(clicked._fields["count"], clicked)
        return self.browse(row[0] for row in found)

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
        urls = defaultdict(set)
        for mailing, url in pairs:
            urls[mailing].add(url)
        links = {}
        for mailing, wanted in sorted(urls.items(), key=lambda item: item[0].id):
            known = {}
            tracked = Link.search([("mass_mailing_id", "=", mailing.id)])
            # (a picture and words may lead to one page: it is called by the words)
            for link in tracked.sorted(lambda link: not _has_words(link)):
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


def _has_words(link):
    return bool(link.label) and not link.label.startswith(PICTURE)
