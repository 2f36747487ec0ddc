-- The mails that a recipient did not get: those that are not tried again, and those that wait after
-- an error, with the time of their next attempt in UTC.
SELECT state, last_error, to_char(next_attempt_at AT TIME ZONE 'UTC', 'HH24:MI') AS next_attempt
FROM mail_outbox
WHERE state IN ('failed', 'partly_sent') OR (state = 'queued' AND last_error IS NOT NULL)
ORDER BY next_attempt_at, key;
