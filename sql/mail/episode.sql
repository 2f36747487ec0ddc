-- The number of the day's episode, from 1.
SELECT coalesce(max(episode), 1) AS value
FROM mailed_day
WHERE report_date = %(day)s;
