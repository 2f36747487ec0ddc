-- The metrics of all days, newest day first, in the order in which course staff read them.
SELECT report_date, metric, label, value, unit, text
FROM daily_metrics
ORDER BY report_date DESC, place, metric;
