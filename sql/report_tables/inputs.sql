-- The sum of the versions of the days that a report of the day reads, and the version of the day itself;
-- whether the report of the day was computed before, and from these.
WITH found AS (
    SELECT
        coalesce(sum(version), 0)::bigint                  AS inputs,
        max(version) FILTER (WHERE report_date = %(day)s)  AS day_version
    FROM rollup_day
    WHERE report_date <= %(day)s
      AND report_date > coalesce(%(day)s::date - %(history)s::integer, '-infinity')
)
SELECT
    found.inputs,
    found.day_version,
    report IS NULL AS is_first,
    (stored.inputs, stored.day_version) IS NOT DISTINCT FROM (found.inputs, found.day_version)
        AS is_current
FROM found
LEFT JOIN report_day AS stored ON (report, report_date) = (%(report)s, %(day)s);
