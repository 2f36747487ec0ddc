-- The metrics of a day and of the days before it, newest day first, in the order of all_metrics.sql.
SELECT report_date, metric, label, value, unit, text
FROM daily_metrics
WHERE report_date BETWEEN %(day)s::date - %(before)s::integer AND %(day)s
ORDER BY report_date DESC, place, metric;
