-- Attempts stored for the same weekday of the last four weeks, one row for each loaded day, and how many
-- of each attempt type: NULL if the rollups do not have the day.
WITH weeks AS (
    SELECT %(day)s::date - 7 * back AS report_date
    FROM generate_series(1, 4) AS back
),
by_type AS (
    SELECT
        report_date,
        coalesce(sum(runs), 0)    AS run,
        coalesce(sum(submits), 0) AS submit
    FROM weeks
    JOIN rollup_day USING (report_date)
    LEFT JOIN engagement_day USING (report_date)
    GROUP BY report_date
)
SELECT loaded + already_there AS volume, run, submit
FROM weeks
JOIN grader_load USING (report_date)
LEFT JOIN by_type USING (report_date);
