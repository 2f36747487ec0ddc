-- The hashes of the answer that the ledger's line of the day is about: as it was loaded, and as it is
-- kept now. No row if there is no line.
SELECT ledger.body_sha256, load.kept_sha256
FROM grader_load AS ledger
LEFT JOIN load_history AS load
    ON load.report_date = ledger.report_date
    AND ledger.body_sha256 IN (load.body_sha256, load.kept_sha256)
WHERE ledger.report_date = %(day)s;
