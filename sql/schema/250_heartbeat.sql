-- The mornings whose success GRADER_HEARTBEAT_URL was asked for, or is to be asked for again after an
-- error. asked_at: when it answered.
CREATE TABLE IF NOT EXISTS heartbeat (
    report_date     date        PRIMARY KEY,
    attempts        integer     NOT NULL DEFAULT 0,
    last_error      text,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    asked_at        timestamptz
);
