-- A line of load_history for the load of a release that writes only the ledger.
INSERT INTO load_history (
    report_date, loaded_at, run_id, body_sha256, kept_sha256, received, loaded, already_there,
    duplicates, rejected, differing, updated
)
SELECT
    report_date, loaded_at, run_id, body_sha256, body_sha256, received, loaded, already_there,
    duplicates, rejected, differing, updated
FROM grader_load AS ledger
WHERE report_date = %(day)s
  AND NOT EXISTS (
      SELECT
      FROM load_history AS load
      WHERE load.report_date = ledger.report_date
        AND ledger.body_sha256 IN (load.body_sha256, load.kept_sha256)
  );
