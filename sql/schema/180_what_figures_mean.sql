-- What the figures mean, corrected. Submits are the successful and the wrong ones: a submit without
-- verdict is a wrong one. Stuck looks at the learner's whole history, struggling at those who submit,
-- disengaging at stored days only. A metric has a unit, and a text where no number can be given.
--
-- Days computed by the former rules must not stay beside new ones: all stored reports are out of date
-- after this, and the job refresh computes them again. engagement_day is read once, and the rows of
-- submits without verdict are written: 1 to 2 seconds for each 10,000,000 rows. It locks these rows.

-- As in 140_course_and_task.sql, but for the last two columns.
CREATE OR REPLACE VIEW attempt AS
SELECT
    coalesce(names[1], 'не распознан') COLLATE "C"     AS course,
    coalesce(names[2], 'не распознано') COLLATE "C"    AS task,
    user_id COLLATE "C"                                AS user_id,
    created_at,
    lis_outcome_service_url,
    attempt_type = 'run'                               AS is_run,
    attempt_type = 'submit'                            AS is_submit,
    attempt_type = 'submit' AND is_correct IS TRUE     AS is_success,
    attempt_type = 'submit' AND is_correct IS NOT TRUE AS is_wrong,
    attempt_type = 'submit' AND is_correct IS NULL     AS is_without_verdict
FROM grader
CROSS JOIN LATERAL (
    SELECT course_and_task(lis_result_sourcedid, user_id) AS names OFFSET 0
) AS readable;

UPDATE engagement_day
SET wrong_submits = submits - successes
WHERE wrong_submits <> submits - successes;

-- unit is one of those in grader_pipeline/reports/units.py. text is what readers see in place of the
-- value: why there is none, or the hours that are equally busy. Lines of earlier releases have neither.
ALTER TABLE daily_metrics
    ADD COLUMN IF NOT EXISTS unit text,
    ADD COLUMN IF NOT EXISTS text text;
ALTER TABLE mailed_metric
    ADD COLUMN IF NOT EXISTS unit text,
    ADD COLUMN IF NOT EXISTS text text;

-- Metrics that mean another thing now are no change that mails. What a later mail shows counts again.
DELETE FROM mailed_metric
WHERE metric IN ('wrong_submits', 'active_users_7', 'active_users_28', 'busiest_hour');

-- No sum of versions is negative.
UPDATE report_day SET inputs = -1;

-- Why a figure of the days up to this one cannot be given: some of them are not stored. NULL if all are.
CREATE OR REPLACE FUNCTION missing_days(day date, days integer) RETURNS text
LANGUAGE sql STABLE
AS $$
SELECT format('нет данных за %s из %s дней', days - count(*), days)
FROM rollup_day
WHERE report_date > day - days AND report_date <= day
HAVING count(*) < days
$$;

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
CREATE OR REPLACE FUNCTION prepare_reports(day date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    lowest        integer;
    has_two_weeks boolean := missing_days(day, 14) IS NULL;
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
END
$$;
