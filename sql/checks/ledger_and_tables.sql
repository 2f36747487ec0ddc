-- The ledger's line of a day (NULL if it has none), and the rows that the tables hold for it: quarantined, stored.
SELECT
    ledger.received,
    ledger.loaded,
    ledger.already_there,
    ledger.duplicates,
    ledger.rejected,
    ledger.differing,
    ledger.updated,
    (
        SELECT count(*) FROM grader_rejected WHERE report_date = %(day)s
    ) AS quarantined,
    (
        SELECT count(*) FROM grader
        WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
    ) AS stored
FROM (SELECT) AS one
LEFT JOIN grader_load AS ledger ON ledger.report_date = %(day)s;
