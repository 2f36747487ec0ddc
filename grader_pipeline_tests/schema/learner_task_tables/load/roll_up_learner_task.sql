-- The first times of the learners and tasks that the day touched, out of all their days.
-- Their order, and why the least of what only grows is the first, is told in roll_up_day.sql.
WITH days AS (
    SELECT
        day.*,
        first_at - lag(last_at) OVER learner_task   AS night,
        sum(runs) OVER learner_task - runs          AS runs_before,
        sum(submits) OVER learner_task - submits    AS submits_before
    FROM touched_learner_task
    JOIN learner_task_day AS day USING (user_id, task, course)
    WINDOW learner_task AS (
        PARTITION BY user_id, task, course ORDER BY report_date ROWS UNBOUNDED PRECEDING
    )
),
timed AS (
    SELECT
        *,
        CASE WHEN night <= interval '30 minutes' THEN night ELSE interval '0' END AS worked_before
    FROM days
),
-- Work before each day; the clock then runs on through it.
running AS (
    SELECT *, sum(worked_before + last_clock) OVER learner_task - last_clock AS clock
    FROM timed
    WINDOW learner_task AS (
        PARTITION BY user_id, task, course ORDER BY report_date ROWS UNBOUNDED PRECEDING
    )
),
fresh AS (
    SELECT
        course, task, user_id,
        min(report_date)                                             AS first_attempt_date,
        min(report_date) FILTER (WHERE submits > 0)                  AS first_submit_date,
        bool_or(first_submit_correct) FILTER (WHERE submits_before = 0) AS first_submit_correct,
        min(runs_before + runs_before_first_submit) FILTER (WHERE submits > 0)
                                                                     AS runs_before_first_submit,
        min(report_date) FILTER (WHERE successes > 0)                AS first_success_date,
        min(submits_before + submits_until_success)                  AS submits_until_success,
        CASE WHEN min(first_run_at) < min(first_success_at)
            THEN min(clock + first_success_clock) - min(clock + first_run_clock)
        END                                                          AS time_until_success
    FROM running
    GROUP BY user_id, task, course
)
-- Most of what is touched stays as it was, and is then neither written nor locked.
INSERT INTO learner_task (
    course, task, user_id, first_attempt_date, first_submit_date, first_submit_correct,
    runs_before_first_submit, first_success_date, submits_until_success, time_until_success
)
SELECT
    course, task, user_id, first_attempt_date, first_submit_date, first_submit_correct,
    runs_before_first_submit, first_success_date, submits_until_success, time_until_success
FROM fresh
WHERE NOT EXISTS (
    SELECT
    FROM learner_task AS kept
    WHERE (kept.user_id, kept.task, kept.course) = (fresh.user_id, fresh.task, fresh.course)
      AND (
          kept.first_attempt_date, kept.first_submit_date, kept.first_submit_correct,
          kept.runs_before_first_submit, kept.first_success_date, kept.submits_until_success,
          kept.time_until_success
      ) IS NOT DISTINCT FROM (
          fresh.first_attempt_date, fresh.first_submit_date, fresh.first_submit_correct,
          fresh.runs_before_first_submit, fresh.first_success_date, fresh.submits_until_success,
          fresh.time_until_success
      )
)
ON CONFLICT (course, task, user_id) DO UPDATE
SET first_attempt_date       = excluded.first_attempt_date,
    first_submit_date        = excluded.first_submit_date,
    first_submit_correct     = excluded.first_submit_correct,
    runs_before_first_submit = excluded.runs_before_first_submit,
    first_success_date       = excluded.first_success_date,
    submits_until_success    = excluded.submits_until_success,
    time_until_success       = excluded.time_until_success;
