-- What came of asking: an error, and how long to wait, or none.
UPDATE heartbeat
SET last_error = %(error)s,
    next_attempt_at = now() + make_interval(secs => %(pause_seconds)s),
    asked_at = CASE WHEN %(error)s::text IS NULL THEN now() END
WHERE report_date = %(day)s;
