-- The first times of the learners and tasks that the day touched, out of all their days.
WITH days AS (
    SELECT
        day.*,
        first_at - lag(last_at) OVER (learner_task ORDER BY report_date)  AS night,
        min(report_date) OVER learner_task                                AS first_attempt_date,
        min(report_date) FILTER (WHERE runs > 0) OVER learner_task        AS first_run_date,
        min(report_date) FILTER (WHERE submits > 0) OVER learner_task     AS first_submit_date,
        min(report_date) FILTER (WHERE successes > 0) OVER learner_task   AS first_success_date
    FROM touched_learner_task
    JOIN learner_task_day AS day USING (course, task, user_id)
    WINDOW learner_task AS (PARTITION BY course, task, user_id)
),
timed AS (
    SELECT
        *,
        CASE WHEN night <= interval '30 minutes' THEN night ELSE interval '0' END AS worked_before
    FROM days
),
-- Work and counts before each day; the clock then runs on through it.
running AS (
    SELECT
        *,
        sum(worked_before + last_clock) OVER learner_task - last_clock AS clock,
        sum(runs) OVER learner_task - runs                     AS runs_before,
        sum(submits) OVER learner_task - submits               AS submits_before
    FROM timed
    WINDOW learner_task AS (PARTITION BY course, task, user_id ORDER BY report_date)
)
INSERT INTO learner_task (
    course, task, user_id, first_attempt_date, first_submit_date, first_submit_correct,
    runs_before_first_submit, first_success_date, submits_until_success, time_until_success
)
SELECT
    course, task, user_id, first_attempt_date, first_submit_date,
    bool_or(first_submit_correct) FILTER (WHERE report_date = first_submit_date),
    sum(runs_before + runs_before_first_submit) FILTER (WHERE report_date = first_submit_date),
    first_success_date,
    sum(submits_before + submits_until_success) FILTER (WHERE report_date = first_success_date),
    CASE WHEN min(first_run_at) < min(first_success_at)
        THEN sum(clock + first_success_clock) FILTER (WHERE report_date = first_success_date)
           - sum(clock + first_run_clock) FILTER (WHERE report_date = first_run_date)
    END
FROM running
GROUP BY course, task, user_id, first_attempt_date, first_submit_date, first_success_date;
