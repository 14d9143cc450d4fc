"""Campaigns in real Odoo processes: who is written to, and the scripts that write."""

from odoo_processes import query, run_odoo

#: A sender, and a mailing to everybody whose reference is "campaign".
PREPARE = """
env.cr.execute('''
    INSERT INTO res_partner (name, complete_name, email, email_normalized, city, ref,
        type, active)
    SELECT name, name, lower(name) || '@people.example',
        lower(name) || '@people.example', 'City ' || i, 'campaign', 'contact', TRUE
    FROM (SELECT i, 'P' || i AS name FROM generate_series(1, %(people)d) i) AS person
''')
esp = env["easycrm.esp"].create({
    "provider": "sendgrid", "api_key": "%(key)s", "webhook_key": "%(webhook_key)s",
})
esp.import_wanted = False
env["mailing.mailing"].create({
    "name": "Spring", "subject": "Spring offer", "easycrm_esp_id": esp.id,
    "mailing_model_id": env["ir.model"]._get_id("res.partner"),
    "mailing_domain": "[('ref', '=', 'campaign')]",
    "body_html": '''<div>Hello <t t-out="object.name"/> of <b t-out="object.city"/>
        <a href="https://example.com/x">X</a>
        <a href="/unsubscribe_from_list">Unsubscribe</a></div>''',
    "email_from": '"News" <news@tallwood.example>',
    "reply_to_mode": "new", "reply_to": "sales@tallwood.example",
}).action_put_in_queue()
env.cr.commit()
"""

WRITE = """
env["mailing.mailing"]._process_mass_mailing_queue()
env.cr.commit()
"""

SEND = """
env["easycrm.esp.batch"]._cron_send()
env.cr.commit()
"""


class Campaign:
    """One mailing in a database of its own.

    :param server: the loopback `SendGridServer`
    """

    def __init__(self, database, server, people):
        self.database = database
        self.server = server
        self.environment = {"EASYCRM_SENDGRID_API_URL": server.url}
        values = {"key": server.key, "webhook_key": server.verification_key}
        self.run(PREPARE % {"people": people, **values})

    def start(self, script):
        return run_odoo(self.database, script, self.environment)

    def run(self, script):
        self.start(script).wait_for_success(timeout=300)

    def run_to_death(self, script):
        """Run a script that kills itself."""
        process = self.start(script)
        out, _err = process.communicate(timeout=300)
        assert process.returncode == -9, out

    def query(self, statement):
        return query(self.database, statement)

    def count_traces(self):
        return self.query("SELECT count(*) FROM mailing_trace")[0][0]

    def get_batches(self):
        """Return {state: how many batches}."""
        return dict(
            self.query("SELECT state, count(*) FROM easycrm_esp_batch GROUP BY state")
        )

    def get_statuses(self):
        """Return {status: how many recipients}."""
        return dict(
            self.query(
                "SELECT trace_status, count(*) FROM mailing_trace GROUP BY trace_status"
            )
        )

    def get_state(self):
        return self.query("SELECT state FROM mailing_mailing")[0][0]

    def age(self, minutes):
        """Let what was handed over have been so that long ago."""
        self.run(
            f"""env.cr.execute("UPDATE easycrm_esp_batch"
                " SET handed_at = handed_at - interval '{minutes} minutes'")
env.cr.commit()
"""
        )
