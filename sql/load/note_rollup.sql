INSERT INTO rollup_day (report_date, version, attempts)
SELECT %(day)s, nextval('rollup_version'), count(*)
FROM grader
WHERE created_at >= %(day_start)s
  AND created_at < %(day_end)s
ON CONFLICT (report_date) DO UPDATE
SET version  = excluded.version,
    attempts = excluded.attempts;
