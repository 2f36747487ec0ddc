-- The line of load_history that goes with the ledger's.
INSERT INTO load_history (
    report_date, run_id, body_sha256, kept_sha256, received, loaded, already_there, duplicates,
    rejected, differing, updated
)
VALUES (
    %(day)s, %(run_id)s, %(body_sha256)s, %(body_sha256)s, %(received)s, %(loaded)s,
    %(already_there)s, %(duplicates)s, %(rejected)s, %(differing)s, %(updated)s
);
