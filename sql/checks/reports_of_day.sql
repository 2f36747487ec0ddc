-- Reports of the day that were computed from another version of the day's attempts than there is now,
-- and whether somebody else changed attempts since.
SELECT
    ARRAY(
        SELECT report
        FROM report_day
        LEFT JOIN rollup_day USING (report_date)
        WHERE report_date = %(day)s
          AND report = ANY (%(reports)s)
          AND day_version IS DISTINCT FROM version
        ORDER BY report
    ) AS outdated,
    EXISTS (
        SELECT FROM grader_change
        WHERE quarter_hour >= %(day_start)s AND quarter_hour < %(day_end)s
    ) AS changed_by_others;
