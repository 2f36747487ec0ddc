-- The newest day that has metrics. Null if there is none.
SELECT max(report_date) AS day
FROM daily_metrics;
