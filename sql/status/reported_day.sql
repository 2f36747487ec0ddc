-- The newest day that readers have the report of; if `day` is not NULL, that day or NULL. They have it
-- when Dagster has a record of the sheet that is as new as the tables, or colleagues have a mail about
-- it.
SELECT max(report_date) AS day
FROM (
    SELECT DISTINCT report_date
    FROM daily_metrics
    WHERE %(day)s::date IS NULL OR report_date = %(day)s
) AS computed
WHERE NOT EXISTS (
        SELECT FROM outdated_record AS record
        WHERE record.report_date = computed.report_date AND asset = 'sheet_report'
    )
    OR EXISTS (
        SELECT FROM mailed_day
        WHERE mailed_day.report_date = computed.report_date AND is_reported
    );
