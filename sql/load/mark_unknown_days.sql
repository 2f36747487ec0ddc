-- A mark, at noon, for each day whose attempts in grader are not as many as its rollup has.
INSERT INTO grader_change (quarter_hour)
SELECT (report_date + time '12:00') AT TIME ZONE %(timezone)s AT TIME ZONE 'UTC'
FROM (
    SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::date AS report_date,
        count(*) AS attempts
    FROM grader
    WHERE created_at BETWEEN '0002-01-01' AND '9998-12-31'
    GROUP BY report_date
) AS found
FULL JOIN (
    SELECT report_date, sum(runs + submits) AS attempts
    FROM engagement_day
    GROUP BY report_date
) AS known USING (report_date)
WHERE found.attempts IS DISTINCT FROM known.attempts;
