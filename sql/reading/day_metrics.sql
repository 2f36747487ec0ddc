-- One day's metrics, in the order in which course staff read them.
SELECT metric, label, value, unit, text
FROM daily_metrics
WHERE report_date = %(day)s
ORDER BY place, metric;
