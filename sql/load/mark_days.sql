-- A mark, at noon, for each stored day of a period.
INSERT INTO grader_change (quarter_hour)
SELECT (report_date + time '12:00') AT TIME ZONE %(timezone)s AT TIME ZONE 'UTC'
FROM (
    SELECT (created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::date AS report_date
    FROM grader
    WHERE created_at BETWEEN '0002-01-01' AND '9998-12-31'
    UNION
    SELECT report_date FROM rollup_day
    UNION
    SELECT report_date FROM grader_load
) AS stored
WHERE report_date BETWEEN %(first)s AND %(last)s
RETURNING (quarter_hour AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::date AS report_date;
