-- What each learner did on each task of the day. Columns as sql/schema/060_rollups.sql says.
--
-- The attempts are taken apart once, before they are sorted: sorting moves only what is needed.
WITH attempts AS MATERIALIZED (
    SELECT
        course, task, user_id, created_at, is_run, is_submit, is_success, is_wrong,
        lis_outcome_service_url IS NULL AS is_without_outcome_url
    FROM attempt
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
),
-- What went before each attempt. The learner is named first: ids differ in their first letters,
-- which is where sorting looks, and courses hardly do.
counted AS (
    SELECT
        *,
        created_at - lag(created_at) OVER learner_task     AS pause,
        count(*) FILTER (WHERE is_run) OVER learner_task    AS runs,
        count(*) FILTER (WHERE is_submit) OVER learner_task AS submits
    FROM attempts
    WINDOW learner_task AS (
        PARTITION BY user_id, task, course ORDER BY created_at ROWS UNBOUNDED PRECEDING
    )
),
timed AS (
    SELECT
        *,
        sum(CASE WHEN pause <= interval '30 minutes' THEN pause ELSE interval '0' END)
            OVER learner_task AS clock
    FROM counted
    WINDOW learner_task AS (
        PARTITION BY user_id, task, course ORDER BY created_at ROWS UNBOUNDED PRECEDING
    )
)
-- Counts and clock only grow, so the least of them is that of the first attempt of its kind.
INSERT INTO learner_task_day (
    report_date, course, task, user_id, runs, submits, successes, wrong_submits,
    without_outcome_url, first_at, last_at, first_run_at, first_submit_at, first_success_at,
    first_submit_correct, runs_before_first_submit, submits_until_success,
    last_clock, first_run_clock, first_success_clock
)
SELECT
    %(day)s, course, task, user_id,
    count(*) FILTER (WHERE is_run),
    count(*) FILTER (WHERE is_submit),
    count(*) FILTER (WHERE is_success),
    count(*) FILTER (WHERE is_wrong),
    count(*) FILTER (WHERE is_without_outcome_url),
    min(created_at),
    max(created_at),
    min(created_at) FILTER (WHERE is_run),
    min(created_at) FILTER (WHERE is_submit),
    min(created_at) FILTER (WHERE is_success),
    bool_or(is_success) FILTER (WHERE is_submit AND submits = 1),
    coalesce(min(runs) FILTER (WHERE is_submit), max(runs)),
    min(submits) FILTER (WHERE is_success),
    max(clock),
    min(clock) FILTER (WHERE is_run),
    min(clock) FILTER (WHERE is_success)
FROM timed
GROUP BY user_id, task, course;
