-- Every load of a day, a line each. grader_load has the last one. The counts are those of grader_load.
-- body_sha256: the unpacked answer as it was loaded. kept_sha256: the file that keeps it now.
-- `learner forget` takes elements out of that file, and it gets another hash.
CREATE TABLE IF NOT EXISTS load_history (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_date   date        NOT NULL,
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    run_id        text        NOT NULL,
    body_sha256   text        NOT NULL,
    kept_sha256   text        NOT NULL,
    received      integer     NOT NULL,
    loaded        integer     NOT NULL,
    already_there integer     NOT NULL,
    duplicates    integer     NOT NULL,
    rejected      integer     NOT NULL,
    differing     integer     NOT NULL,
    updated       integer     NOT NULL
);
CREATE INDEX IF NOT EXISTS load_history_day ON load_history (report_date, id);

-- Of the loads until now, the last one of each day is known: a second for 1,000 days.
INSERT INTO load_history (
    report_date, loaded_at, run_id, body_sha256, kept_sha256, received, loaded, already_there,
    duplicates, rejected, differing, updated
)
SELECT
    report_date, loaded_at, run_id, body_sha256, body_sha256, received, loaded, already_there,
    duplicates, rejected, differing, updated
FROM grader_load
WHERE NOT EXISTS (SELECT FROM load_history)
ORDER BY loaded_at, report_date;
