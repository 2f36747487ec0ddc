-- The mails that somebody did not get and will not get by waiting.
SELECT key, subject, state, last_error
FROM mail_outbox
WHERE state IN ('failed', 'partly_sent')
ORDER BY created_at;
