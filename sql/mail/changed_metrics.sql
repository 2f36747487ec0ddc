-- The metrics of these days whose value, with the decimals that readers see, differs from the one that
-- was mailed. The newest day comes first.
SELECT report_date, now.label, mailed.value AS before, now.value AS now
FROM mailed_metric AS mailed
JOIN daily_metrics AS now USING (report_date, metric)
WHERE report_date = ANY (%(days)s::date[])
  AND round(now.value, %(decimals)s::integer) IS DISTINCT FROM round(mailed.value, %(decimals)s::integer)
ORDER BY report_date DESC, now.place, now.label;
