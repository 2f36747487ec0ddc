-- The sum of the versions of the days that a report of the day reads.
SELECT coalesce(sum(version), 0)::bigint AS inputs
FROM rollup_day
WHERE report_date <= %(day)s
  AND report_date > coalesce(%(day)s::date - %(history)s::integer, '-infinity');
