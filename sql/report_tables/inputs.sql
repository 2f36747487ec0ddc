-- What a report of the day looks at now: the versions of its days, in one number.
SELECT coalesce(sum(version), 0)::bigint AS inputs
FROM rollup_day
WHERE report_date <= %(day)s
  AND report_date > coalesce(%(day)s::date - %(history)s::integer, '-infinity');
