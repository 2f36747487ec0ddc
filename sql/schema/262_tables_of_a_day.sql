-- As in 180_what_figures_mean.sql, with a third table, and the 28 days grouped in order.
--
-- What several reports of a day read, made once: three temporary tables, which are gone with the
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
--     runs_1, submits_1, successes_1                    on the day
--     last_date                                         the last day with an attempt
--     tried_week_before                                 has an attempt in the 7 days before the last 7
--     first_attempt_date and the columns after it       as in engagement. They say what is stored now:
--                                                       compare the dates with the day
--
-- learner_state       one row for each learner and course with an attempt in these days, of known tasks
--     course, user_id
--     stuck_tasks        tasks tried in the 28 days, with five or more wrong submits up to the day, of
--                        all stored days, that the learner has not solved
--     submits_7, solved_7    submits in the last 7 days, and tasks with a successful one
--     submits_per_solved     the first by the second; NULL if none is solved
--     is_stuck           has stuck tasks
--     is_struggling      five or more submits in the last 7 days, and among the 15 % of the course's
--                        learners with a submit in these days who made most submits for each solved
--                        task, none solved being the most. Learners with equally many are in or out
--                        together: out, if with them they are more than 15 %. (edx-analytics-pipeline,
--                        module engagement: segment "struggling", problem_attempts_per_completed, takes
--                        the top 15 % with ties, and asks for no number of submits.)
--     is_disengaging     tried something in the 7 days before the last 7, and nothing in the last 7.
--                        NULL unless all 14 days are stored. (edx-analytics-pipeline, module
--                        engagement: segment "disengaging".)
--     is_run_only        ran code in the 28 days and submitted nothing
--
-- task_all_time       one row for each task that was tried up to the day: the columns of task_history,
--     260_history_of_tasks.sql
CREATE OR REPLACE FUNCTION prepare_reports(day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    lowest        integer;
    has_two_weeks boolean := missing_days(day, 14) IS NULL;
    -- Read first: if a load comes in between, what is kept below is out of date from the start.
    day_versions  bigint  := (SELECT coalesce(sum(version), 0) FROM rollup_day WHERE report_date <= day);
    -- Who may not write the table, or comes while another transaction is at it, does without it.
    keeps_history boolean := has_table_privilege('task_history', 'INSERT')
        AND has_table_privilege('task_history', 'DELETE')
        AND pg_try_advisory_xact_lock(hashtextextended('task_history', 0));
BEGIN
    IF to_regclass('pg_temp.recent_engagement') IS NOT NULL THEN
        DROP TABLE pg_temp.recent_engagement, pg_temp.learner_state, pg_temp.task_all_time;
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
        submits_7, successes_7, runs_1, submits_1, successes_1, last_date, tried_week_before,
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
            coalesce(sum(runs) FILTER (WHERE report_date = day), 0)::integer          AS runs_1,
            coalesce(sum(submits) FILTER (WHERE report_date = day), 0)::integer       AS submits_1,
            coalesce(sum(successes) FILTER (WHERE report_date = day), 0)::integer     AS successes_1,
            max(report_date)                                     AS last_date,
            bool_or(report_date > day - 14 AND report_date <= day - 7) AS tried_week_before
        FROM (
            -- In order, for PostgreSQL groups and joins them 0.1 s faster then than by hash.
            SELECT engagement, report_date, runs, submits, successes, wrong_submits
            FROM engagement_day
            WHERE report_date > day - 28 AND report_date <= day
            ORDER BY engagement
        ) AS days
        GROUP BY engagement
    ) AS recent
    JOIN engagement AS met ON met.id = recent.engagement
    WHERE met.id >= lowest;

    CREATE TEMPORARY TABLE learner_state ON COMMIT DROP AS
    WITH in_course AS (
        SELECT
            task.course, learner,
            -- Of most engagements the 28 days are enough. Only the others are looked up.
            count(*) FILTER (
                WHERE CASE
                    WHEN first_success_date <= day THEN false
                    WHEN wrong_submits >= 5 THEN true
                    WHEN first_submit_date <= day - 28 THEN wrong_submits + (
                        SELECT coalesce(sum(earlier.wrong_submits), 0)
                        FROM engagement_day AS earlier
                        WHERE earlier.engagement = recent.engagement
                          AND earlier.report_date <= day - 28
                    ) >= 5
                END
            )                                        AS stuck_tasks,
            sum(runs)                                AS runs,
            sum(submits)                             AS submits,
            sum(submits_7)                           AS submits_7,
            count(*) FILTER (WHERE successes_7 > 0)  AS solved_7,
            max(last_date) > day - 7                 AS tried_7,
            bool_or(tried_week_before)               AS tried_week_before
        FROM recent_engagement AS recent
        JOIN known_task AS task ON task.id = recent.task
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
    ranked AS (
        SELECT
            *,
            -- Of as many or more submits for each solved task; of any submits.
            count(per_solved) OVER most     AS at_least_so_many,
            count(per_solved) OVER everyone AS submitting
        FROM effort
        WINDOW
            most AS (PARTITION BY course ORDER BY per_solved DESC NULLS LAST),
            everyone AS (PARTITION BY course)
    )
    SELECT
        -- The type of the column in tables of earlier releases has no length.
        course, user_id::varchar AS user_id, stuck_tasks, submits_7, solved_7,
        nullif(per_solved, 'Infinity')                                    AS submits_per_solved,
        stuck_tasks > 0                                                   AS is_stuck,
        submits_7 >= 5 AND 100 * at_least_so_many <= 15 * submitting      AS is_struggling,
        CASE WHEN has_two_weeks THEN tried_week_before AND NOT tried_7 END AS is_disengaging,
        runs > 0 AND submits = 0                                          AS is_run_only
    FROM ranked
    JOIN learner ON learner.id = ranked.learner;

    -- What is kept, and what happened since. All that happened in the 28 days is of their engagements.
    CREATE TEMPORARY TABLE task_all_time ON COMMIT DROP AS
    WITH kept AS MATERIALIZED (
        SELECT *
        FROM task_history
        WHERE keeps_history
          AND until BETWEEN day - 28 AND day
          AND versions = (
              SELECT sum(version)
              FROM rollup_day
              WHERE report_date <= (SELECT max(history.until) FROM task_history AS history)
          )
    ),
    since AS MATERIALIZED (
        SELECT coalesce(max(until), '-infinity') AS last_date FROM kept
    ),
    met AS (
        SELECT
            task, learner, first_attempt_date, first_submit_date, first_success_date,
            first_submit_correct, runs_before_first_submit, submits_until_success, time_until_success
        FROM recent_engagement
        WHERE (SELECT last_date > '-infinity' FROM since)
          AND greatest(first_attempt_date, first_submit_date, first_success_date)
              > (SELECT last_date FROM since)
        UNION ALL
        SELECT
            task, learner, first_attempt_date, first_submit_date, first_success_date,
            first_submit_correct, runs_before_first_submit, submits_until_success, time_until_success
        FROM engagement
        WHERE first_attempt_date <= day
          AND (SELECT last_date = '-infinity' FROM since)
    ),
    fresh AS (
        SELECT
            task,
            count(*) FILTER (WHERE is_new)                             AS learners,
            few(array_agg(learner) FILTER (WHERE is_new))              AS few_learners,
            count(*) FILTER (WHERE submitted_first)                    AS submitted,
            count(*) FILTER (WHERE solved_first)                       AS solved,
            count(*) FILTER (WHERE submitted_first AND first_submit_correct) AS first_submit_solvers,
            sum(runs_before_first_submit) FILTER (WHERE submitted_first) AS runs_before_first_submit,
            array_agg(submits_until_success) FILTER (WHERE solved_first) AS submits_until_success,
            array_agg(date_part('epoch', time_until_success))
                FILTER (WHERE solved_first AND time_until_success IS NOT NULL)
                                                                       AS seconds_until_success
        FROM met
        CROSS JOIN since
        CROSS JOIN LATERAL (
            SELECT
                first_attempt_date > last_date                         AS is_new,
                first_submit_date > last_date AND first_submit_date <= day   AS submitted_first,
                first_success_date > last_date AND first_success_date <= day AS solved_first
        ) AS happened
        GROUP BY task
    )
    SELECT
        task,
        day                                                            AS until,
        day_versions                                                   AS versions,
        coalesce(kept.learners, 0) + coalesce(fresh.learners, 0)       AS learners,
        CASE WHEN coalesce(kept.learners, 0) + coalesce(fresh.learners, 0) < 5
            THEN few(kept.few_learners || fresh.few_learners)
        END                                                            AS few_learners,
        coalesce(kept.submitted, 0) + coalesce(fresh.submitted, 0)     AS submitted,
        coalesce(kept.solved, 0) + coalesce(fresh.solved, 0)           AS solved,
        coalesce(kept.first_submit_solvers, 0) + coalesce(fresh.first_submit_solvers, 0)
                                                                       AS first_submit_solvers,
        coalesce(kept.runs_before_first_submit, 0) + coalesce(fresh.runs_before_first_submit, 0)
                                                                       AS runs_before_first_submit,
        kept.submits_until_success || fresh.submits_until_success      AS submits_until_success,
        kept.seconds_until_success || fresh.seconds_until_success      AS seconds_until_success
    FROM kept
    FULL JOIN fresh USING (task);

    IF keeps_history AND NOT EXISTS (
        SELECT FROM task_history WHERE (until, versions) = (day, day_versions)
    ) THEN
        DELETE FROM task_history;
        INSERT INTO task_history SELECT * FROM task_all_time;
    END IF;
END
$$;
