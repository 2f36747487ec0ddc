-- The rollups with learners, courses and tasks named: for a day or two. What counts over weeks counts
-- by the numbers.
CREATE OR REPLACE VIEW learner_task AS
SELECT
    task.course, task.task, learner.user_id, first_attempt_date, first_submit_date,
    first_submit_correct, runs_before_first_submit, first_success_date, submits_until_success,
    time_until_success
FROM engagement
JOIN learner ON learner.id = engagement.learner
JOIN task ON task.id = engagement.task;

CREATE OR REPLACE VIEW learner_task_day AS
SELECT
    report_date, task.course, task.task, learner.user_id, runs, submits, successes, wrong_submits,
    without_outcome_url, first_at, last_at, first_run_at, first_submit_at, first_success_at,
    first_submit_correct, runs_before_first_submit, submits_until_success, last_clock,
    first_run_clock, first_success_clock
FROM engagement_day
JOIN learner ON learner.id = engagement_day.learner
JOIN task ON task.id = engagement_day.task;
