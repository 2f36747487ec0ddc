-- The metrics of these days are mailed. A line that is gone stays: it may come back.
INSERT INTO mailed_metric (report_date, metric, label, value, unit, text)
SELECT report_date, metric, label, value, unit, text
FROM daily_metrics
WHERE report_date = ANY (%(days)s::date[])
ON CONFLICT (report_date, metric) DO UPDATE
SET label = excluded.label,
    value = excluded.value,
    unit  = excluded.unit,
    text  = excluded.text;
