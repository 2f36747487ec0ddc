-- Days of a period that no answer was loaded for. Those before the first loaded day are left out.
SELECT day::date AS report_date
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
WHERE day >= coalesce((SELECT min(report_date) FROM grader_load), %(last)s)
  AND NOT EXISTS (SELECT FROM grader_load WHERE report_date = day::date)
ORDER BY report_date;
