-- The main numbers of the thirty days that end with this one.
SELECT report_date, metric, value
FROM daily_metrics
WHERE report_date > %(report_date)s::date - 30
  AND report_date <= %(report_date)s::date
  AND metric = ANY (%(metrics)s::text[]);
