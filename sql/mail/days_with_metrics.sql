-- Those of these days that have metrics.
SELECT DISTINCT report_date
FROM daily_metrics
WHERE report_date = ANY (%(days)s::date[]);
