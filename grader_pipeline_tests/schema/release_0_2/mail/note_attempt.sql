-- The state of a mail after an attempt to send it follows from its recipients: queued while one of
-- them can still get it, otherwise sent, partly sent or failed.
WITH recipients AS (
    SELECT bool_or(state = 'queued') AS is_waiting,
           bool_or(state = 'sent')   AS has_sent,
           bool_or(state = 'failed') AS has_failed
    FROM mail_recipient
    WHERE key = %(key)s
)
UPDATE mail_outbox
SET state = CASE
        WHEN is_waiting THEN 'queued'
        WHEN has_failed AND has_sent THEN 'partly_sent'
        WHEN has_failed THEN 'failed'
        ELSE 'sent'
    END,
    last_error = coalesce(%(error)s, last_error),
    next_attempt_at = now() + make_interval(secs => %(pause_seconds)s),
    sent_at = CASE WHEN has_sent AND NOT is_waiting THEN now() END
FROM recipients
WHERE key = %(key)s
RETURNING state;
