"""What people do in Unlinked Emails all day, among the million of `hot_paths.py`."""

#: Indexes that are taken away to see whether that is noticed.
INDEXES = {
    "unlinked_emails_grouped": "easycrm_email_copy_unlinked_idx",
}
UNLINKED = [("is_unlinked", "=", True), ("ignored", "=", False)]


class UnlinkedPaths:
    """The paths of Unlinked Emails; see `hot_paths.Paths`."""

    def unlinked_inbox(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        shown = {"subject": {}, "snippet": {}, "from_address": {}, "date": {}}
        assert len(copies.search(UNLINKED, limit=80).web_read(shown)) == 80

    def unlinked_emails_counted(self):
        assert self.mine(self.env["easycrm.email.copy"]).unlinked_count() > 10_000

    def unlinked_emails_grouped(self):
        found = self.mine(self.env["easycrm.email.copy"]).unlinked_groups([])
        assert len(found["groups"]) == 60 and found["mails"] > found["total"]

    def unlinked_emails_grouped_far_down(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        assert len(copies.unlinked_groups([], offset=600)["groups"]) == 60

    def unlinked_emails_grouped_by_domain(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        assert copies.unlinked_groups([], by="from_domain")["groups"]

    def unlinked_emails_grouped_by_mailbox(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        assert copies.unlinked_groups([], by="account_id")["total"] == 1

    def unlinked_emails_grouped_by_month(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        assert copies.unlinked_groups([], by="date:month")["groups"]

    def unlinked_emails_paged(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        page = copies.unlinked_page([])
        page = copies.unlinked_page([], page["next"])
        [address] = {row["from_address"] for row in page["rows"][:1]}
        assert copies.unlinked_page([], key=address)["rows"]

    def unlinked_emails_selected(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        found = copies.unlinked_ids([])
        assert len(found["ids"]) == 1000 < found["total"]

    def unlinked_emails_suggested(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        ids = copies.search(UNLINKED, limit=3).ids
        assert "suggested" in copies.suggest_records(ids)

    def unlinked_emails_linked_and_undone(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        received = [*UNLINKED, ("direction", "=", "inbound")]
        ids = copies.search(received, limit=3).ids
        company = self.env["res.partner"].search([("name", "=", "Customer 4")])
        done = copies.link_to(ids, "res.partner", company.id)
        assert done["count"] == 3 and done["question"]["options"][-1]["count"]
        others = copies.find_others(done["batch"], "thread")["rows"]
        assert copies.teach(done["batch"], "thread")["count"] == len(others)
        assert copies.undo(done["batch"])["count"] >= 3

    def unlinked_emails_ignored_and_undone(self):
        copies = self.mine(self.env["easycrm.email.copy"])
        received = [*UNLINKED, ("direction", "=", "inbound")]
        ids = copies.search(received, limit=1).ids
        done = copies.ignore(ids, "address")
        assert copies.undo(done["batch"])["count"] == done["count"]
