-- What a watch outside asks: the newest day that readers have a report of, and the mails that wait or
-- that somebody did not get. A report is out as in sql/status/day.sql.
SELECT
    (
        SELECT max(report_date)
        FROM (SELECT DISTINCT report_date FROM daily_metrics) AS computed
        WHERE NOT EXISTS (
                SELECT FROM outdated_record AS record
                WHERE record.report_date = computed.report_date AND asset = 'sheet_report'
            )
            OR EXISTS (
                SELECT FROM mailed_day
                WHERE mailed_day.report_date = computed.report_date AND is_reported
            )
    ) AS last_day,
    (SELECT count(*) FROM mail_outbox WHERE state IN ('queued', 'sending')) AS queued_mails,
    (SELECT count(*) FROM mail_outbox WHERE state IN ('failed', 'partly_sent')) AS failed_mails;
