"""The Send Email window: what it begins with, what it keeps, what it refuses."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .compose_case import ComposeCase


@tagged("post_install", "-at_install")
class TestCompose(ComposeCase):
    def test_it_begins_with_the_record_s_person_and_the_writer_s_mailbox(self):
        window = self.open_for(self.anna)
        self.assertEqual(
            [person["address"] for person in window["recipients"]["to"]],
            ["anna@acme.example"],
        )
        self.assertEqual(window["account_id"], self.mailbox.id)
        self.assertEqual(window["from_address"], "mira@ours.example")
        self.assertFalse(window["outgoing_id"], "Nothing is written yet")

    def test_a_lead_s_person_is_its_contact(self):
        window = self.open_for(self.lead)
        [person] = window["recipients"]["to"]
        self.assertEqual(person["address"], "anna@acme.example")
        self.assertEqual(window["records"][0]["kind"], "opportunity")

    def test_what_is_written_outlives_the_window(self):
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        saved = compose.easycrm_save(
            {"subject": "Chairs", "body": "<p>Hello</p>", "recipients": {"to": []}}
        )
        compose.unlink()
        again = self.open_for(self.anna)
        self.assertEqual(again["outgoing_id"], saved["outgoing_id"])
        self.assertEqual(again["subject"], "Chairs")
        self.assertEqual(again["body"], "<p>Hello</p>")
        self.assertEqual(again["recipients"]["to"], [])

    def test_nothing_is_lost_behind_an_image_that_is_written_into_the_text(self):
        compose = self.get_window(self.open_for(self.anna))
        for size, is_kept in ((9_000_000, True), (10_000_000, False)):
            image = f'<img src="data:image/png;base64,{"A" * size}">'
            values = {"body": f"<p>{image}</p><p>Behind it</p>"}
            if is_kept:
                compose.easycrm_save(values)
                self.assertIn("Behind it", compose.outgoing_id.body)
            else:
                with self.assertRaisesRegex(UserError, "too large"):
                    compose.easycrm_save(values)

    def test_discarded_nothing_is_left(self):
        window = self.open_for(self.anna)
        saved = self.get_window(window).easycrm_save({"subject": "Chairs"})
        self.get_window(window).easycrm_discard()
        draft = self.env["easycrm.email.outgoing"].browse(saved["outgoing_id"])
        self.assertFalse(draft.exists())
        self.assertFalse(self.open_for(self.anna)["subject"])

    def test_sent_it_waits_in_the_outbox_and_can_be_taken_back(self):
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        sent = compose.easycrm_send({"subject": "Chairs", "body": "<p>Hello</p>"})
        outgoing = self.get_outgoing(sent)
        self.assertEqual(outgoing.state, "queued")
        self.assertEqual(outgoing.partner_id, self.anna)
        self.assertEqual(outgoing.user_id, self.mira)
        self.assertEqual(sent["seconds"], 10)
        back = compose.easycrm_undo(sent["ids"])
        self.assertEqual(outgoing.state, "draft")
        self.assertEqual(back["late"], 0)
        self.assertEqual(back["window"]["subject"], "Chairs")

    def test_files_go_along_and_a_record_s_documents_as_copies(self):
        document = self.env["ir.attachment"].create(
            {
                "name": "Offer.pdf",
                "raw": b"%PDF-1.4",
                "res_model": "res.partner",
                "res_id": self.anna.id,
            }
        )
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        self.assertEqual(window["documents"], 1)
        uploaded = (
            self.env["ir.attachment"]
            .with_user(self.mira)
            .create(
                {
                    "name": "Plan.pdf",
                    "raw": b"%PDF-1.4 plan",
                    "res_model": compose._name,
                    "res_id": compose.id,
                }
            )
        )
        compose.easycrm_save({"attachment_ids": uploaded.ids})
        files = compose.easycrm_take_documents(document.ids)
        self.assertEqual([file["name"] for file in files], ["Plan.pdf", "Offer.pdf"])
        self.assertNotIn(document.id, [file["id"] for file in files])
        sent = compose.easycrm_send({})
        outgoing = self.get_outgoing(sent)
        self.assertEqual(
            set(outgoing.attachment_ids.mapped("name")), {"Plan.pdf", "Offer.pdf"}
        )
        self.assertEqual(
            set(outgoing.attachment_ids.mapped("res_model")), {outgoing._name}
        )
        compose.unlink()
        self.assertEqual(len(outgoing.attachment_ids.exists()), 2)

    def test_an_image_of_the_text_outlives_the_window(self):
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        other = self.get_window(self.open_for(self.bruno))
        images = {
            owner: self.env["ir.attachment"]
            .with_user(self.mira)
            .create(
                {
                    "name": "Chair.png",
                    "raw": b"image",
                    "mimetype": "image/png",
                    "res_model": owner._name,
                    "res_id": owner.id,
                }
            )
            for owner in (compose, other)
        }
        saved = compose.easycrm_save(
            {
                "body": "".join(
                    f'<p><img src="/web/image/{image.id}-0a1b2c3d/Chair.png"></p>'
                    for image in images.values()
                )
            }
        )
        compose.unlink()
        self.assertTrue(images[compose].exists())
        self.assertEqual(images[compose].res_id, saved["outgoing_id"])
        self.assertEqual(images[other].res_id, other.id, "It is another window's")
        again = self.get_window(self.open_for(self.anna))
        outgoing = self.get_outgoing(again.easycrm_send({"subject": "Chairs"}))
        self.assertIn(images[compose], outgoing.attachment_ids)

    def test_several_records_get_an_email_each(self):
        people = self.anna + self.bruno
        window = self.open_for(people)
        self.assertEqual(window["recipients"]["to"], [])
        compose = self.get_window(window)
        sent = compose.easycrm_send(
            {
                "subject": "For {{ object.name }}",
                "body": '<p>Dear <t t-out="object.name"></t></p>',
            }
        )
        outgoing = self.get_outgoing(sent)
        self.assertEqual(
            outgoing.mapped("subject"), ["For Anna Berg", "For Bruno Beck"]
        )
        self.assertIn("Dear Bruno Beck", outgoing[1].body)
        self.assertEqual(outgoing.mapped("partner_id"), people)
        back = compose.easycrm_undo(sent["ids"])
        self.assertFalse(outgoing.exists())
        self.assertEqual(len(back["window"]["records"]), 2)

    def test_a_selection_whose_answer_was_lost_gets_no_second_email(self):
        compose = self.get_window(self.open_for(self.anna + self.bruno))
        values = {"subject": "Hello", "body": "<p>Hello</p>"}
        sent = compose.easycrm_send(values)
        with self.assertRaisesRegex(UserError, "on its way already"):
            compose.easycrm_send(values)
        batch = [("batch", "=", f"compose-{compose.id}")]
        outbox = self.env["easycrm.email.outgoing"]
        self.assertEqual(outbox.search(batch).ids, sent["ids"][::-1])
        # (one of them has left, so the other alone is gone on with)
        early, late = self.get_outgoing(sent)
        early.state = "sending"
        back = compose.easycrm_undo(sent["ids"])
        self.assertEqual((back["late"], late.exists()), (1, outbox))
        again = self.get_outgoing(compose.easycrm_send(values))
        self.assertEqual(again.partner_id, self.bruno)

    def test_somebody_is_taken_out_of_a_selection_and_nobody_comes_in(self):
        window = self.open_for(self.anna + self.bruno)
        sent = self.get_window(window).easycrm_send(
            {"subject": "Hello", "res_ids": [self.bruno.id, self.acme.id]}
        )
        self.assertEqual(self.get_outgoing(sent).partner_id, self.bruno)

    def test_a_selection_of_more_is_a_campaign_s(self):
        people = self.env["res.partner"].create(
            [{"name": f"{n}", "email": f"{n}@many.example"} for n in range(51)]
        )
        few = people[:50].with_user(self.mira).easycrm_action_compose()
        self.assertEqual(few["tag"], "easycrm_mail.compose")
        many = people.with_user(self.admin).easycrm_action_compose()
        self.assertEqual(many["tag"], "display_notification")
        self.assertIn("campaign", many["params"]["message"])
        self.assertEqual(many["params"]["next"]["res_model"], "mailing.mailing")

    def test_who_makes_no_campaigns_writes_to_more_as_odoo_has_it(self):
        people = self.env["res.partner"].create(
            [{"name": f"{n}", "email": f"{n}@many.example"} for n in range(51)]
        )
        leads = self.env["crm.lead"].create(
            [{"name": one.name, "partner_id": one.id} for one in people]
        )
        leads.user_id = self.mira
        for records in (people, leads):
            told = records.with_user(self.mira).easycrm_action_compose()["params"]
            self.assertNotIn("campaign", told["message"])
            action = told["next"]
            window = (
                self.env[action["res_model"]]
                .with_user(self.mira)
                .with_context(**action["context"])
                .create({"subject": "Hello", "body": "<p>All of you</p>"})
            )
            self.assertEqual(window.composition_mode, "mass_mail")
            mails, _messages = window._action_send_mail()
            self.assertEqual(sorted(mails.sudo().mapped("res_id")), sorted(records.ids))
