-- One line a day: what became of every element of the response that was last loaded.
-- received = loaded + already_there + duplicates + rejected.
CREATE TABLE IF NOT EXISTS grader_load (
    report_date   date        PRIMARY KEY,
    run_id        text        NOT NULL,
    received      integer     NOT NULL,
    loaded        integer     NOT NULL,
    already_there integer     NOT NULL,
    duplicates    integer     NOT NULL,
    rejected      integer     NOT NULL,
    differing     integer     NOT NULL,
    body_sha256   text        NOT NULL,
    loaded_at     timestamptz NOT NULL DEFAULT now()
);
