-- The statement by which PostgreSQL rolled a day up before grader_pipeline/attempts/rollup.py did. The
-- tests compare the two.
--
-- One row for each learner and task of the day, by names. sql/schema/060_rollups.sql explains the
-- columns.
--
-- The first step selects what is needed, so that sorting moves nothing else.
CREATE TEMPORARY TABLE fresh_engagement ON COMMIT DROP AS
WITH attempts AS MATERIALIZED (
    SELECT
        course, task, user_id, created_at, is_run, is_submit, is_success, is_wrong,
        lis_outcome_service_url IS NULL AS is_without_outcome_url
    FROM attempt
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
),
-- Pause, runs and submits before each attempt. The learner is the first sort key: ids differ in
-- their first letters, courses hardly do, and sorting compares these first.
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
-- Counts and clock only grow, so their minimum is that of the first attempt of a kind.
SELECT
    course, task, user_id,
    count(*) FILTER (WHERE is_run)                    AS runs,
    count(*) FILTER (WHERE is_submit)                 AS submits,
    count(*) FILTER (WHERE is_success)                AS successes,
    count(*) FILTER (WHERE is_wrong)                  AS wrong_submits,
    count(*) FILTER (WHERE is_without_outcome_url)    AS without_outcome_url,
    coalesce(min(runs) FILTER (WHERE is_submit), max(runs)) AS runs_before_first_submit,
    min(submits) FILTER (WHERE is_success)            AS submits_until_success,
    bool_or(is_success) FILTER (WHERE is_submit AND submits = 1) AS first_submit_correct,
    min(created_at)                                   AS first_at,
    max(created_at)                                   AS last_at,
    min(created_at) FILTER (WHERE is_run)             AS first_run_at,
    min(created_at) FILTER (WHERE is_submit)          AS first_submit_at,
    min(created_at) FILTER (WHERE is_success)         AS first_success_at,
    max(clock)                                        AS last_clock,
    min(clock) FILTER (WHERE is_run)                  AS first_run_clock,
    min(clock) FILTER (WHERE is_success)              AS first_success_clock
FROM timed
GROUP BY user_id, task, course;
