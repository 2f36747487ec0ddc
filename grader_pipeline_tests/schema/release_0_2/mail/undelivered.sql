-- The mails that a recipient did not get and that are not tried again.
SELECT key, subject, state, last_error
FROM mail_outbox
WHERE state IN ('failed', 'partly_sent')
ORDER BY created_at;
