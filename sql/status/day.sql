-- What became of a day's answer: its ledger line, or NULLs.
SELECT
    ledger.received, ledger.loaded, ledger.already_there, ledger.duplicates, ledger.rejected,
    to_char(ledger.loaded_at AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI') AS loaded_at
FROM (SELECT) AS one
LEFT JOIN grader_load AS ledger ON ledger.report_date = %(day)s;
