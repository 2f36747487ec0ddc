-- What of a day's response was not loaded: every reason, its place in the response (from 0), its
-- text as received. NUL, which PostgreSQL cannot store, stands there as JSON writes it.
CREATE TABLE IF NOT EXISTS grader_rejected (
    report_date date    NOT NULL,
    position    integer NOT NULL,
    reasons     text[]  NOT NULL,
    row         text    NOT NULL,
    PRIMARY KEY (report_date, position)
);
