-- One row for each engagement that the day touched and that was there before: the dates of the first
-- attempt, submit and success, from all its days. Counts and clock only grow, so their minimum is
-- that of the first attempt of a kind.
WITH days AS (
    SELECT
        day.*,
        first_at - lag(last_at) OVER met   AS night,
        sum(runs) OVER met - runs          AS runs_before,
        sum(submits) OVER met - submits    AS submits_before
    FROM touched_engagement AS touched
    JOIN engagement_day AS day ON day.engagement = touched.engagement
    WINDOW met AS (
        PARTITION BY day.engagement ORDER BY report_date ROWS UNBOUNDED PRECEDING
    )
),
timed AS (
    SELECT
        *,
        CASE WHEN night <= interval '30 minutes' THEN night ELSE interval '0' END AS worked_before
    FROM days
),
-- The clock at the start of each day: the work of all days before it.
running AS (
    SELECT *, sum(worked_before + last_clock) OVER met - last_clock AS clock
    FROM timed
    WINDOW met AS (
        PARTITION BY engagement ORDER BY report_date ROWS UNBOUNDED PRECEDING
    )
),
fresh AS (
    SELECT
        engagement AS id, learner, task,
        min(report_date)                                             AS first_attempt_date,
        min(report_date) FILTER (WHERE submits > 0)                  AS first_submit_date,
        min(report_date) FILTER (WHERE successes > 0)                AS first_success_date,
        min(runs_before + runs_before_first_submit) FILTER (WHERE submits > 0)
                                                                     AS runs_before_first_submit,
        min(submits_before + submits_until_success)                  AS submits_until_success,
        CASE WHEN min(first_run_at) < min(first_success_at)
            THEN min(clock + first_success_clock) - min(clock + first_run_clock)
        END                                                          AS time_until_success,
        bool_or(first_submit_correct) FILTER (WHERE submits_before = 0) AS first_submit_correct
    FROM running
    GROUP BY engagement, learner, task
)
-- Most touched engagements stay the same. They are not written and not locked. The condition makes
-- PostgreSQL look up each row: a join would read all engagements.
INSERT INTO engagement (
    id, learner, task, first_attempt_date, first_submit_date, first_success_date,
    runs_before_first_submit, submits_until_success, time_until_success, first_submit_correct
)
SELECT
    id, learner, task, first_attempt_date, first_submit_date, first_success_date,
    runs_before_first_submit, submits_until_success, time_until_success, first_submit_correct
FROM fresh
WHERE (EXISTS (
    SELECT
    FROM engagement AS kept
    WHERE kept.id = fresh.id
      AND (
          kept.first_attempt_date, kept.first_submit_date, kept.first_success_date,
          kept.runs_before_first_submit, kept.submits_until_success, kept.time_until_success,
          kept.first_submit_correct
      ) IS NOT DISTINCT FROM (
          fresh.first_attempt_date, fresh.first_submit_date, fresh.first_success_date,
          fresh.runs_before_first_submit, fresh.submits_until_success, fresh.time_until_success,
          fresh.first_submit_correct
      )
)) IS FALSE
ON CONFLICT (id) DO UPDATE
SET first_attempt_date       = excluded.first_attempt_date,
    first_submit_date        = excluded.first_submit_date,
    first_success_date       = excluded.first_success_date,
    runs_before_first_submit = excluded.runs_before_first_submit,
    submits_until_success    = excluded.submits_until_success,
    time_until_success       = excluded.time_until_success,
    first_submit_correct     = excluded.first_submit_correct;
