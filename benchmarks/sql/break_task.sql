-- As if a task's tests had refused everything on the day: of the day's first submits those of 20
-- learners are left, and none is right.
UPDATE recent_engagement
SET first_submit_correct = false,
    first_submit_date = CASE WHEN place <= 20 THEN first_submit_date END
FROM (
    SELECT engagement, row_number() OVER (ORDER BY engagement) AS place
    FROM recent_engagement
    JOIN task ON task.id = recent_engagement.task
    WHERE task.task = %(task)s AND first_submit_date = %(report_date)s
) AS came
WHERE came.engagement = recent_engagement.engagement
