-- The metrics of these days are mailed. A line that is gone stays: it may come back.
INSERT INTO mailed_metric (report_date, metric, label, value)
SELECT report_date, metric, label, value
FROM daily_metrics
WHERE report_date = ANY (%(days)s::date[])
ON CONFLICT (report_date, metric) DO UPDATE SET label = excluded.label, value = excluded.value;
