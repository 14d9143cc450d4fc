-- a copy of the database must not sign in to anybody's mailbox
UPDATE easycrm_email_account
   SET imap_secret = NULL,
       next_sync_at = NULL,
       sync_stage = 'idle',
       sync_status = CASE WHEN sync_status IN ('draft', 'stopped') THEN sync_status
                          ELSE 'paused' END;

-- what waits here leaves from the database that this one was copied from
UPDATE easycrm_email_outgoing
   SET state = 'cancelled', next_try_at = NULL
 WHERE state IN ('queued', 'sending', 'doubt');

DELETE FROM easycrm_email_grant;
DELETE FROM easycrm_email_sign_in;
DELETE FROM ir_config_parameter
 WHERE key IN ('easycrm_mail.google_client_secret', 'easycrm_mail.microsoft_client_secret');

-- nor hand anything over to a bulk sender, nor take what it reports to the original
UPDATE easycrm_esp
   SET api_secret = NULL, webhook_secret = NULL, import_wanted = FALSE;
UPDATE easycrm_esp_batch SET state = 'cancelled' WHERE state IN ('filling', 'prepared');
UPDATE mailing_trace SET trace_status = 'cancel', easycrm_values = NULL
 WHERE trace_status = 'outgoing' AND easycrm_batch_id IS NOT NULL;
