-- What several reports of a day read, made once: two temporary tables, which are gone with the
-- transaction. The pipeline calls this at the start of the transaction that computes a day's reports.
-- To run a report by hand, in psql:
--
--     BEGIN;
--     SELECT prepare_reports('2023-05-31');
--     -- the query of a report, or one of your own
--     ROLLBACK;
--
-- recent_engagement   one row for each engagement with an attempt in the 28 days up to the day
--     engagement, learner, task      numbers, as in engagement_day
--     runs, submits, successes, wrong_submits           in the 28 days
--     submits_7, successes_7                            in the last 7 of them
--     submits_1, successes_1                            on the day
--     last_date                                         the last day with an attempt
--     tried_week_before                                 has an attempt in the 7 days before the last 7
--     first_attempt_date and the columns after it       as in engagement. They say what is stored now:
--                                                       compare the dates with the day
--
-- learner_state       one row for each learner and course with an attempt in these days, of known tasks
--     course, user_id
--     stuck_tasks        tasks with five or more wrong submits that the learner has not solved
--     submits_7, solved_7    submits in the last 7 days, and tasks with a successful one
--     submits_per_solved     the first by the second; NULL if none is solved
--     is_stuck           has stuck tasks
--     is_struggling      submits per solved task in the last 7 days in the course's top 15 %, none
--                        solved being the most; nobody where all are alike. (edx-analytics-pipeline,
--                        module engagement: segment "struggling", problem_attempts_per_completed.)
--     is_disengaging     tried something in the 7 days before the last 7, and nothing in the last 7.
--                        (edx-analytics-pipeline, module engagement: segment "disengaging".)
--     is_run_only        ran code in the 28 days and submitted nothing
--
-- The function learner_states stays for processes of the last release.
CREATE OR REPLACE FUNCTION prepare_reports(day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    lowest integer;
BEGIN
    IF to_regclass('pg_temp.recent_engagement') IS NOT NULL THEN
        DROP TABLE pg_temp.recent_engagement, pg_temp.learner_state;
    END IF;

    -- Numbers grow with the days. With a known bound the planner knows how many engagements are above.
    -- OFFSET keeps it from looking for the smallest number among all days.
    SELECT min(engagement) INTO lowest
    FROM (
        SELECT engagement
        FROM engagement_day
        WHERE report_date > day - 28 AND report_date <= day
        OFFSET 0
    ) AS recent;

    CREATE TEMPORARY TABLE recent_engagement ON COMMIT DROP AS
    SELECT
        met.id AS engagement, met.learner, met.task, runs, submits, successes, wrong_submits,
        submits_7, successes_7, submits_1, successes_1, last_date, tried_week_before,
        first_attempt_date, first_submit_date, first_success_date, runs_before_first_submit,
        submits_until_success, time_until_success, first_submit_correct
    FROM (
        SELECT
            engagement,
            sum(runs)::integer                                   AS runs,
            sum(submits)::integer                                AS submits,
            sum(successes)::integer                              AS successes,
            sum(wrong_submits)::integer                          AS wrong_submits,
            coalesce(sum(submits) FILTER (WHERE report_date > day - 7), 0)::integer   AS submits_7,
            coalesce(sum(successes) FILTER (WHERE report_date > day - 7), 0)::integer AS successes_7,
            coalesce(sum(submits) FILTER (WHERE report_date = day), 0)::integer       AS submits_1,
            coalesce(sum(successes) FILTER (WHERE report_date = day), 0)::integer     AS successes_1,
            max(report_date)                                     AS last_date,
            bool_or(report_date > day - 14 AND report_date <= day - 7) AS tried_week_before
        FROM engagement_day
        WHERE report_date > day - 28 AND report_date <= day
        GROUP BY engagement
    ) AS recent
    JOIN engagement AS met ON met.id = recent.engagement
    WHERE met.id >= lowest;

    CREATE TEMPORARY TABLE learner_state ON COMMIT DROP AS
    WITH in_course AS (
        SELECT
            task.course, learner,
            count(*) FILTER (
                WHERE wrong_submits >= 5 AND (first_success_date <= day) IS NOT TRUE
            )                                        AS stuck_tasks,
            sum(runs)                                AS runs,
            sum(submits)                             AS submits,
            sum(submits_7)                           AS submits_7,
            count(*) FILTER (WHERE successes_7 > 0)  AS solved_7,
            max(last_date) > day - 7                 AS tried_7,
            bool_or(tried_week_before)               AS tried_week_before
        FROM recent_engagement
        JOIN known_task AS task ON task.id = recent_engagement.task
        GROUP BY learner, task.course
    ),
    effort AS (
        SELECT
            *,
            CASE
                WHEN solved_7 > 0 THEN submits_7::float8 / solved_7
                WHEN submits_7 > 0 THEN 'Infinity'
            END AS per_solved
        FROM in_course
    ),
    usual_effort AS MATERIALIZED (
        SELECT
            course,
            percentile_disc(0.85) WITHIN GROUP (ORDER BY per_solved) AS high,
            min(per_solved)                                          AS least
        FROM effort
        GROUP BY course
    )
    SELECT
        -- The type of the column in tables of earlier releases has no length.
        course, user_id::varchar AS user_id, stuck_tasks, submits_7, solved_7,
        nullif(per_solved, 'Infinity')                              AS submits_per_solved,
        stuck_tasks > 0                                             AS is_stuck,
        coalesce(per_solved >= high AND per_solved > least, false)  AS is_struggling,
        tried_week_before AND NOT tried_7                           AS is_disengaging,
        runs > 0 AND submits = 0                                    AS is_run_only
    FROM effort
    JOIN usual_effort USING (course)
    JOIN learner ON learner.id = effort.learner;
END
$$;
