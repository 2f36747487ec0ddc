-- The tasks that broken_tasks looks at on a day: enough first submits on the day and before.
SELECT count(*) AS eligible
FROM (
    SELECT
    FROM recent_engagement
    WHERE first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s
    GROUP BY task
    HAVING count(*) FILTER (WHERE first_submit_date = %(report_date)s) >= 5
       AND count(*) FILTER (WHERE first_submit_date < %(report_date)s) >= 20
) AS tasks
