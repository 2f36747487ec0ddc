-- The mails of the last 30 days, and older ones that are not sent, the newest first.
SELECT key, subject, state, attempts, last_error
FROM mail_outbox
WHERE state <> 'sent' OR created_at > now() - interval '30 days'
ORDER BY created_at DESC, key;
