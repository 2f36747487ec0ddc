INSERT INTO grader_load AS ledger (
    report_date, run_id, received, loaded, already_there, duplicates, rejected, differing,
    body_sha256, loaded_at
)
VALUES (
    %(day)s, %(run_id)s, %(received)s, %(loaded)s, %(already_there)s, %(duplicates)s,
    %(rejected)s, %(differing)s, %(body_sha256)s, now()
)
ON CONFLICT (report_date) DO UPDATE
SET run_id        = excluded.run_id,
    received      = excluded.received,
    loaded        = excluded.loaded,
    already_there = excluded.already_there,
    duplicates    = excluded.duplicates,
    rejected      = excluded.rejected,
    differing     = excluded.differing,
    body_sha256   = excluded.body_sha256,
    loaded_at     = excluded.loaded_at;
