-- Try mails again at once, for another day, for the recipients who did not get them: those of these
-- keys, or, if keys is NULL, all that are not sent.
WITH chosen AS (
    UPDATE mail_outbox
    SET state = 'queued',
        attempts = 0,
        next_attempt_at = now(),
        give_up_at = now() + interval '1 day'
    WHERE state IN ('queued', 'failed', 'partly_sent')
      AND (%(keys)s::text[] IS NULL OR key = ANY (%(keys)s::text[]))
    RETURNING key
), recipients AS (
    UPDATE mail_recipient
    SET state = 'queued'
    FROM chosen
    WHERE mail_recipient.key = chosen.key AND mail_recipient.state = 'failed'
)
SELECT key FROM chosen ORDER BY key;
