-- Which learners met which tasks on the day, as the rollups have it and as the attempts say now.
CREATE TEMPORARY TABLE touched_learner_task ON COMMIT DROP AS
SELECT course, task, user_id
FROM learner_task_day
WHERE report_date = %(day)s
UNION
SELECT course, task, user_id
FROM attempt
WHERE created_at >= %(day_start)s
  AND created_at < %(day_end)s;
