-- And which ones met on it as the attempts say now.
INSERT INTO touched_learner_task
SELECT course, task, user_id
FROM learner_task_day
WHERE report_date = %(day)s
EXCEPT
SELECT course, task, user_id
FROM touched_learner_task;
