-- Try each failed mail again for another day, for the recipients who did not get it. Remove the cause
-- first, then run: psql "$DATABASE_URL" -f sql/mail/requeue.sql
WITH failed AS (
    UPDATE mail_recipient SET state = 'queued' WHERE state = 'failed'
)
UPDATE mail_outbox
SET state = 'queued',
    attempts = 0,
    next_attempt_at = now(),
    give_up_at = now() + interval '1 day'
WHERE state IN ('failed', 'partly_sent')
RETURNING key, last_error;
