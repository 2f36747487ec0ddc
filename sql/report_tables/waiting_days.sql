-- The days, oldest first, whose reports or records in Dagster are older than what grader holds:
--
-- - a report was computed from versions of days (rollup_day) that are not today's,
-- - somebody else changed attempts (changed_day) of a day that a report reads,
-- - a stored day has no daily_metrics, though nothing says that they cannot be computed,
-- - Dagster has no record of what the tables hold now (outdated_record).
--
-- With %(only_outdated)s, the third is left out. Without %(records)s, the last is.
--
-- %(reports)s, %(histories)s: the reports and the days that each reads; NULL: all up to its own.
WITH wanted AS (
    SELECT * FROM unnest(%(reports)s::text[], %(histories)s::integer[]) AS wanted (report, history)
),
-- Versions summed up from the first day: a report's inputs are the difference of two sums.
sums AS MATERIALIZED (
    SELECT report_date, sum(version) OVER (ORDER BY report_date) AS total FROM rollup_day
),
changed AS MATERIALIZED (
    SELECT report_date FROM changed_day WHERE report_date < %(today)s
),
stored AS (
    SELECT
        report_day.report, report_day.report_date, inputs, history,
        report_day.report_date - history                                       AS day_before,
        (SELECT max(report_date) FROM rollup_day
            WHERE rollup_day.report_date <= report_day.report_date - history)  AS sum_before
    FROM report_day
    JOIN rollup_day USING (report_date)
    JOIN wanted USING (report)
    WHERE report_date >= %(start_date)s
),
waiting AS (
    SELECT stored.report_date
    FROM stored
    JOIN sums AS last USING (report_date)
    LEFT JOIN sums AS before ON before.report_date = sum_before
    WHERE (
            inputs <> last.total - coalesce(before.total, 0)
            OR EXISTS (
                SELECT
                FROM changed
                WHERE changed.report_date <= stored.report_date
                  AND changed.report_date > coalesce(day_before, '-infinity')
            )
      )
      AND NOT EXISTS (
          SELECT
          FROM report_failure AS failure
          WHERE (failure.report_date, failure.report) = (stored.report_date, stored.report)
      )
    UNION
    SELECT report_date
    FROM (SELECT report_date FROM rollup_day UNION SELECT report_date FROM changed) AS day
    WHERE report_date >= %(start_date)s
      AND report_date < %(today)s
      AND NOT %(only_outdated)s
      AND NOT EXISTS (
          SELECT FROM report_day
          WHERE report_day.report_date = day.report_date AND report = 'daily_metrics'
      )
      AND NOT EXISTS (
          SELECT FROM report_failure
          WHERE report_failure.report_date = day.report_date AND report = 'daily_metrics'
      )
    UNION
    SELECT report_date
    FROM outdated_record
    WHERE asset = ANY (%(assets)s)
      AND report_date >= %(start_date)s
      AND %(records)s
)
SELECT report_date
FROM waiting
ORDER BY report_date;
