-- The answers of a day that attempts were loaded from, the newest load first. A release before this
-- table writes only the ledger: its load is in there.
SELECT body_sha256, kept_sha256, loaded_at
FROM (
    SELECT id, body_sha256, kept_sha256, loaded_at
    FROM load_history
    WHERE report_date = %(day)s
    UNION ALL
    SELECT NULL, body_sha256, body_sha256, loaded_at
    FROM grader_load AS ledger
    WHERE report_date = %(day)s
      AND NOT EXISTS (
          SELECT
          FROM load_history AS load
          WHERE load.report_date = ledger.report_date
            AND ledger.body_sha256 IN (load.body_sha256, load.kept_sha256)
      )
) AS loads
ORDER BY loaded_at DESC, id DESC;
