-- The day's rows by numbers. A learner and a task without an engagement get one, with the dates of
-- the day: they have no other. Engagements that were there are noted for roll_up_engagements.sql.
WITH numbered AS MATERIALIZED (
    SELECT
        fresh.*,
        learner.id                                    AS learner,
        task.id                                       AS task_number,
        coalesce(known.id, nextval('engagement_id'))  AS engagement,
        known.id IS NULL                              AS is_new
    FROM fresh_engagement AS fresh
    JOIN learner USING (user_id)
    JOIN task USING (course, task)
    LEFT JOIN engagement AS known ON (known.learner, known.task) = (learner.id, task.id)
),
met AS (
    INSERT INTO engagement (
        id, learner, task, first_attempt_date, first_submit_date, first_success_date,
        runs_before_first_submit, submits_until_success, time_until_success, first_submit_correct
    )
    SELECT
        engagement, learner, task_number, %(day)s,
        CASE WHEN submits > 0 THEN %(day)s END,
        CASE WHEN successes > 0 THEN %(day)s END,
        CASE WHEN submits > 0 THEN runs_before_first_submit END,
        submits_until_success,
        CASE WHEN first_run_at < first_success_at THEN first_success_clock - first_run_clock END,
        first_submit_correct
    FROM numbered
    WHERE is_new
),
met_before AS (
    INSERT INTO touched_engagement
    SELECT engagement, learner, task_number FROM numbered WHERE NOT is_new
    EXCEPT
    SELECT engagement, learner, task FROM touched_engagement
)
INSERT INTO engagement_day (
    report_date, engagement, learner, task, runs, submits, successes, wrong_submits,
    without_outcome_url, runs_before_first_submit, submits_until_success, first_submit_correct,
    first_at, last_at, first_run_at, first_submit_at, first_success_at, last_clock,
    first_run_clock, first_success_clock
)
SELECT
    %(day)s, engagement, learner, task_number, runs, submits, successes, wrong_submits,
    without_outcome_url, runs_before_first_submit, submits_until_success, first_submit_correct,
    first_at, last_at, first_run_at, first_submit_at, first_success_at, last_clock,
    first_run_clock, first_success_clock
FROM numbered;
