-- Days of a period that no answer was loaded for.
SELECT day::date AS report_date
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
WHERE NOT EXISTS (SELECT FROM grader_load WHERE report_date = day::date)
ORDER BY report_date;
