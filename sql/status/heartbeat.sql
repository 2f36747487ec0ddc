-- Why the heartbeat of a day was not taken, and when it is tried again (UTC).
SELECT last_error, to_char(next_attempt_at AT TIME ZONE 'UTC', 'HH24:MI') AS next_attempt
FROM heartbeat
WHERE report_date = %(day)s AND asked_at IS NULL AND last_error IS NOT NULL;
