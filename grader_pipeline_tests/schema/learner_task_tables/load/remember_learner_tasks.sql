-- Which learners met which tasks on the day, as the rollups had it until now.
CREATE TEMPORARY TABLE touched_learner_task ON COMMIT DROP AS
SELECT course, task, user_id
FROM learner_task_day
WHERE report_date = %(day)s;
