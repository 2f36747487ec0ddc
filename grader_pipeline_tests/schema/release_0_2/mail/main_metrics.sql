-- Some metrics of some days: for the mail's picture and for the digest of a backfill.
SELECT report_date, metric, label, value
FROM daily_metrics
WHERE report_date = ANY (%(report_dates)s::date[])
  AND metric = ANY (%(metrics)s::text[]);
