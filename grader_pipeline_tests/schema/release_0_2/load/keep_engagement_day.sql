-- The day's rows by numbers. A learner and a task without an engagement get a new number for it.
INSERT INTO engagement_day (
    report_date, engagement, learner, task, runs, submits, successes, wrong_submits,
    without_outcome_url, runs_before_first_submit, submits_until_success, first_submit_correct,
    first_at, last_at, first_run_at, first_submit_at, first_success_at, last_clock,
    first_run_clock, first_success_clock
)
SELECT
    %(day)s, coalesce(known.id, nextval('engagement_id')), learner.id, task.id, runs, submits,
    successes, wrong_submits, without_outcome_url, fresh.runs_before_first_submit,
    fresh.submits_until_success, fresh.first_submit_correct, first_at, last_at, first_run_at,
    first_submit_at, first_success_at, last_clock, first_run_clock, first_success_clock
FROM fresh_engagement AS fresh
JOIN learner USING (user_id)
JOIN task USING (course, task)
LEFT JOIN engagement AS known ON (known.learner, known.task) = (learner.id, task.id);
