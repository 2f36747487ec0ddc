-- What each learner did on each task of the day. Columns as sql/schema/060_rollups.sql says.
WITH attempts AS (
    SELECT
        course, task, user_id, created_at, is_run, is_submit, is_success, is_wrong,
        lis_outcome_service_url,
        created_at - lag(created_at) OVER (learner_task ORDER BY created_at) AS pause,
        min(created_at) FILTER (WHERE is_run) OVER learner_task              AS first_run_at,
        min(created_at) FILTER (WHERE is_submit) OVER learner_task           AS first_submit_at,
        min(created_at) FILTER (WHERE is_success) OVER learner_task          AS first_success_at
    FROM attempt
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
    WINDOW learner_task AS (PARTITION BY course, task, user_id)
),
timed AS (
    SELECT
        *,
        CASE WHEN pause <= interval '30 minutes' THEN pause ELSE interval '0' END AS worked
    FROM attempts
)
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
    count(*) FILTER (WHERE lis_outcome_service_url IS NULL),
    min(created_at), max(created_at), first_run_at, first_submit_at, first_success_at,
    bool_or(is_success) FILTER (WHERE created_at = first_submit_at),
    count(*) FILTER (WHERE is_run AND (first_submit_at IS NULL OR created_at < first_submit_at)),
    CASE WHEN first_success_at IS NOT NULL
        THEN count(*) FILTER (WHERE is_submit AND created_at <= first_success_at)
    END,
    sum(worked),
    sum(worked) FILTER (WHERE created_at <= first_run_at),
    sum(worked) FILTER (WHERE created_at <= first_success_at)
FROM timed
GROUP BY course, task, user_id, first_run_at, first_submit_at, first_success_at;
