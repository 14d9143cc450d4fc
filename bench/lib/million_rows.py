"""The rows of `Million`, as statements: what each means is told there."""

PEOPLE_STATEMENTS = (
    # companies, then contacts: every other one works for a company
    """
    INSERT INTO res_partner (id, name, complete_name, active, type, is_company,
        commercial_partner_id, partner_share, create_date, write_date)
    SELECT %(company_base)s + c, 'Customer ' || c, 'Customer ' || c, TRUE, 'contact',
        TRUE, %(company_base)s + c, TRUE, now(), now()
    FROM generate_series(0, %(companies)s - 1) c
    """,
    """
    INSERT INTO res_partner (id, name, complete_name, active, type, is_company, email,
        email_normalized, parent_id, commercial_partner_id, partner_share,
        create_date, write_date)
    SELECT id, 'Contact ' || k, 'Contact ' || k, TRUE, 'contact', FALSE, address,
        address, company, coalesce(company, id), TRUE, now(), now()
    FROM (SELECT k, %(contact_base)s + k AS id, 'contact' || k || '@customer'
              || k %% %(companies)s || '.example' AS address,
              CASE WHEN k %% 2 = 0 THEN %(company_base)s + k %% %(companies)s END
                  AS company
          FROM generate_series(0, %(contacts)s - 1) k) AS made
    """,
    """
    INSERT INTO crm_lead (id, name, type, active, user_id, company_id, stage_id,
        email_from, email_normalized, create_date, write_date)
    SELECT %(lead_base)s + l, 'Opportunity ' || l, 'opportunity', TRUE,
        (%(users)s::int[])[1 + l %% %(salesmen)s], %(company)s,
        (SELECT min(id) FROM crm_stage), address, address, now(), now()
    FROM generate_series(0, %(leads)s - 1) l,
        LATERAL (SELECT 'lead' || l || '@customer' || l %% %(companies)s || '.example'
                     AS address) AS made
    """,
    """
    INSERT INTO easycrm_email_address (address, partner_id, source)
    SELECT email_normalized, id, 'field' FROM res_partner WHERE id >= %(contact_base)s
        AND id < %(contact_base)s + %(contacts)s
    """,
    """
    INSERT INTO easycrm_email_address (address, lead_id, source)
    SELECT email_normalized, id, 'field' FROM crm_lead WHERE id >= %(lead_base)s
        AND id < %(lead_base)s + %(leads)s
    """,
)

#: What the tables are filled from: the mails, and who takes part in each.
PREPARED = (
    "DROP TABLE IF EXISTS million_mail, million_person, million_sentence",
    """
    CREATE UNLOGGED TABLE million_mail AS
    SELECT i, 1 + i AS id, thread, 1 + thread AS thread_id,
        '<' || i || '@million.example>' AS message_id,
        timestamp '2025-01-01' + i * interval '1 minute' AS date,
        CASE WHEN i %% 3 = 0 THEN 'outbound' ELSE 'inbound' END AS direction,
        (%(people)s::int[])[1 + thread %% 10] AS people,
        1 + (hashint4(thread) & 1023) %% %(salesmen)s AS account,
        hashint4(thread + 1) & 1023 < 300 AS is_shared,
        i %% %(busy_step)s = 0 AS is_busy,
        i %% %(huge_step)s = 1 %% %(huge_step)s AS is_huge,
        i %% %(small_step)s = 5 AS is_small
    FROM (SELECT i, i / 3000 * 1000 + i %% 1000 AS thread
          FROM generate_series(0, %(mails)s - 1) i) AS numbered
    """,
    # the square makes some contacts talk a thousand times as much as others
    """
    CREATE UNLOGGED TABLE million_person AS
    SELECT mail.i, mail.id AS email_id, made.lead_id, made.partner_id, made.address,
        CASE WHEN slot > 0 THEN CASE slot WHEN 1 THEN 'to' ELSE 'cc' END
             WHEN direction = 'outbound' THEN 'to' ELSE 'from' END AS role
    FROM million_mail mail
    JOIN generate_series(0, 3) slot ON slot < mail.people,
        LATERAL (SELECT power((hashint8(mail.thread::bigint * 4 + slot) & 16777215)
                              / 16777216.0::float8, 2) AS draw) AS drawn,
        LATERAL (SELECT 4 * floor(draw * %(contacts)s / 4)::int + slot AS contact,
                        floor(draw * %(leads)s)::int AS lead) AS number,
        LATERAL (SELECT CASE WHEN slot = 2 THEN %(lead_base)s + lead END AS lead_id,
                        CASE WHEN slot <> 2 THEN %(contact_base)s + contact END
                            AS partner_id,
                        CASE WHEN slot = 2 THEN 'lead' || lead || '@customer'
                             || lead %% %(companies)s || '.example'
                        ELSE 'contact' || contact || '@customer'
                             || contact %% %(companies)s || '.example' END
                            AS address) AS made
    UNION ALL
    SELECT i, id, NULL, partner_id, address, 'cc'
    FROM million_mail, unnest(%(measured)s::int[], %(measured_addresses)s::text[],
                              ARRAY['busy', 'huge', 'small'])
                       AS measured (partner_id, address, which)
    WHERE CASE which WHEN 'busy' THEN is_busy WHEN 'huge' THEN is_huge
               ELSE is_small END
    """,
    "CREATE INDEX ON million_mail (i)",
    """
    CREATE UNLOGGED TABLE million_sentence AS
    SELECT s, string_agg('w' || floor(power((hashint8(s * 100 + word) & 16777215)
                                            / 16777216.0::float8, 3) * 20000), ' ')
              AS text
    FROM generate_series(0, 4095) s, generate_series(1, 10) word GROUP BY s
    """,
    "ANALYZE million_mail",
    "ANALYZE million_person",
)

THREADS = """
    INSERT INTO easycrm_email_thread (id, company_id, root, privacy)
    SELECT thread_id, %(company)s,
        '<' || thread / 1000 * 3000 + thread %% 1000 || '@million.example>', 'shared'
    FROM million_mail GROUP BY thread_id, thread ORDER BY thread_id
"""
EMAILS = """
    INSERT INTO easycrm_email (id, company_id, thread_id, message_id, digest, date,
        direction, is_linked, has_files)
    SELECT id, %(company)s, thread_id, message_id, md5(message_id), date, direction,
        people > 0 OR is_busy OR is_huge OR is_small, i %% 5 = 0
    FROM million_mail
"""
CONTENTS = """
    INSERT INTO easycrm_email_content (id, email_id, subject, snippet, body_html_raw,
        body_text, search_vector)
    SELECT id, id, 'Re: order ' || i, left(body, 200), '<p>' || body || '</p>', body,
        array_to_tsvector(string_to_array('re order ' || i || ' ' || body, ' '))
    FROM million_mail
    JOIN million_sentence a ON a.s = hashint4(i) & 4095
    JOIN million_sentence b ON b.s = (hashint4(i) >> 12) & 4095,
        LATERAL (SELECT a.text || ' ' || b.text AS body) AS made
"""
PARTICIPANTS = """
    INSERT INTO easycrm_email_participant (email_id, role, name, address)
    SELECT email_id, role, split_part(address, '@', 1), address FROM (
        SELECT i, email_id, role, address FROM million_person
        UNION ALL
        SELECT i, id, CASE direction WHEN 'outbound' THEN 'from' ELSE 'to' END,
            (%(account_addresses)s::text[])[account] FROM million_mail
        UNION ALL
        SELECT i, id, CASE direction WHEN 'outbound' THEN 'to' ELSE 'from' END,
            'stranger' || thread || '@nowhere.example'
        FROM million_mail WHERE people = 0
        UNION ALL
        SELECT i, id, 'cc',
            'newcomer' || i %% %(newcomer_step)s || '@newcomer.example'
        FROM million_mail WHERE i %% %(newcomer_step)s < %(newcomers)s
    ) AS made ORDER BY i
"""
ATTACHMENTS = """
    INSERT INTO easycrm_email_attachment (email_id, name, mimetype, size, inline, part)
    SELECT id, 'offer.pdf', 'application/pdf', 20000 + i %% 5000, FALSE, '1'
    FROM million_mail WHERE i %% 5 = 0 ORDER BY i
"""
COPIES = """
    INSERT INTO easycrm_email_copy (email_id, account_id, direction, date,
        from_address, is_read, is_unlinked, ignored)
    SELECT id, (%(accounts)s::int[])[holder], direction, date,
        CASE direction WHEN 'outbound' THEN (%(account_addresses)s::text[])[account]
             ELSE coalesce(address, 'stranger' || thread || '@nowhere.example') END,
        mail.i %% 7 > 0, NOT (people > 0 OR is_busy OR is_huge OR is_small), FALSE
    FROM million_mail mail
    LEFT JOIN million_person person ON person.i = mail.i AND person.role = 'from',
        unnest(ARRAY[account, CASE WHEN is_shared
                              THEN 1 + account %% %(salesmen)s END]) AS holder
    WHERE holder IS NOT NULL ORDER BY mail.i
"""
LOCATIONS = """
    INSERT INTO easycrm_email_location (copy_id, account_id, stream, provider_ref)
    SELECT id, account_id, CASE direction WHEN 'outbound' THEN 'Sent' ELSE 'INBOX' END,
        '7:' || email_id
    FROM easycrm_email_copy ORDER BY id
"""
LINKS = """
    INSERT INTO easycrm_email_link (email_id, partner_id, lead_id, thread_id,
        commercial_partner_id, company_id, date, origin, role, address, removed,
        create_uid, create_date, write_uid, write_date)
    SELECT person.email_id, person.partner_id, person.lead_id, mail.thread_id,
        partner.commercial_partner_id, %(company)s, mail.date, 'auto', person.role,
        person.address, FALSE, 1, mail.date, 1, mail.date
    FROM million_person person
    JOIN million_mail mail ON mail.i = person.i
    LEFT JOIN res_partner partner ON partner.id = person.partner_id
    ORDER BY person.i
"""
