-- Note before it is asked that the heartbeat of a day is asked. No row: it was asked, or waits after an
-- error.
INSERT INTO heartbeat (report_date, attempts, next_attempt_at)
VALUES (%(day)s, 1, now() + make_interval(secs => %(lease_seconds)s))
ON CONFLICT (report_date) DO UPDATE
SET attempts = heartbeat.attempts + 1,
    next_attempt_at = excluded.next_attempt_at
WHERE heartbeat.asked_at IS NULL AND heartbeat.next_attempt_at <= now()
RETURNING attempts;
