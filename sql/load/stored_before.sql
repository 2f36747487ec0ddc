-- How many attempts of the day are stored, and how many its rollup was made of.
SELECT
    (SELECT count(*) FROM grader WHERE created_at >= %(day_start)s AND created_at < %(day_end)s)
        AS attempts,
    (SELECT attempts FROM rollup_day WHERE report_date = %(day)s) AS remembered;
