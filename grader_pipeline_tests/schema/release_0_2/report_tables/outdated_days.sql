-- Stored days of a report, later than this one, that are out of date: the versions of the days that
-- they read have changed since.
SELECT stored.report_date
FROM report_day AS stored
WHERE stored.report = %(report)s
  AND stored.report_date > %(day)s
  AND stored.report_date < coalesce(%(day)s::date + %(history)s::integer, 'infinity')
  AND stored.inputs <> (
      SELECT coalesce(sum(version), 0)
      FROM rollup_day AS input
      WHERE input.report_date <= stored.report_date
        AND input.report_date
            > coalesce(stored.report_date - %(history)s::integer, '-infinity'::date)
  )
ORDER BY stored.report_date;
