-- What became of a day: its ledger line, and whether readers have its report. The report is out when
-- Dagster has a record of the sheet that is as new as the tables, or colleagues have a mail about it.
SELECT
    ledger.received, ledger.loaded, ledger.already_there, ledger.duplicates, ledger.rejected,
    to_char(ledger.loaded_at AT TIME ZONE %(timezone)s, 'YYYY-MM-DD HH24:MI') AS loaded_at,
    EXISTS (SELECT FROM daily_metrics WHERE report_date = %(day)s)
        AND (
            NOT EXISTS (
                SELECT FROM outdated_record
                WHERE report_date = %(day)s AND asset = 'sheet_report'
            )
            OR EXISTS (SELECT FROM mailed_day WHERE report_date = %(day)s AND is_reported)
        ) AS is_out
FROM (SELECT) AS one
LEFT JOIN grader_load AS ledger ON ledger.report_date = %(day)s;
