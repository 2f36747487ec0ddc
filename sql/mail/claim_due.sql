-- Take the mail that has been due the longest, and note before it is sent that it is. Nobody else
-- takes it until the lease ends. If the process dies, the mail is due again then.
UPDATE mail_outbox
SET state = 'sending',
    attempts = attempts + 1,
    next_attempt_at = now() + make_interval(secs => %(lease_seconds)s)
WHERE key = (
    SELECT key
    FROM mail_outbox
    WHERE state IN ('queued', 'sending') AND next_attempt_at <= now()
    ORDER BY next_attempt_at, key
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING key, subject, message, short, attempts, now() >= give_up_at AS is_last,
    ARRAY(
        SELECT address
        FROM mail_recipient
        WHERE mail_recipient.key = mail_outbox.key AND mail_recipient.state = 'queued'
          AND NOT is_channel
        ORDER BY address
    ) AS recipients,
    ARRAY(
        SELECT address
        FROM mail_recipient
        WHERE mail_recipient.key = mail_outbox.key AND mail_recipient.state = 'queued'
          AND is_channel
        ORDER BY address
    ) AS channels;
