-- How learners of a course are doing at the end of a day, out of its 28 days: a line for every
-- learner who tried anything in the course in that time.
--
-- stuck        five or more wrong submits on a task that the learner has not solved.
-- struggling   submits per solved task in the last 7 days in the course's top 15 %, none solved
--              being the most; nobody where all are alike. (edx-analytics-pipeline, module
--              engagement: segment "struggling", problem_attempts_per_completed.)
-- disengaging  tried something in the 7 days before the last 7, and nothing in the last 7.
--              (edx-analytics-pipeline, module engagement: segment "disengaging".)
-- run-only     ran code in the 28 days and submitted nothing.
CREATE OR REPLACE FUNCTION learner_states(day date)
RETURNS TABLE (
    course             text,
    user_id            varchar(255),
    stuck_tasks        bigint,
    submits_7          bigint,
    solved_7           bigint,
    submits_per_solved double precision,
    is_stuck           boolean,
    is_struggling      boolean,
    is_disengaging     boolean,
    is_run_only        boolean
)
LANGUAGE sql STABLE
AS $$
WITH on_tasks AS (
    SELECT
        engagement, learner, task,
        sum(runs)                                                    AS runs,
        sum(submits)                                                 AS submits,
        sum(wrong_submits)                                           AS wrong_submits,
        coalesce(sum(submits) FILTER (WHERE report_date > day - 7), 0) AS submits_7,
        coalesce(bool_or(successes > 0) FILTER (WHERE report_date > day - 7), false) AS solved_7,
        bool_or(report_date > day - 7)                               AS tried_7,
        bool_or(report_date > day - 14 AND report_date <= day - 7)   AS tried_week_before
    FROM engagement_day
    WHERE report_date > day - 28 AND report_date <= day
    GROUP BY engagement, learner, task
),
-- Numbers grow with the days: engagements older than those of the 28 days need not be looked at.
solved AS (
    SELECT id AS engagement
    FROM engagement
    WHERE id >= (SELECT min(engagement) FROM on_tasks) AND first_success_date <= day
),
in_course AS (
    SELECT
        task.course, learner,
        count(*) FILTER (WHERE wrong_submits >= 5 AND solved.engagement IS NULL) AS stuck_tasks,
        sum(runs)                          AS runs,
        sum(submits)                       AS submits,
        sum(submits_7)::bigint             AS submits_7,
        count(*) FILTER (WHERE solved_7)   AS solved_7,
        bool_or(tried_7)                   AS tried_7,
        bool_or(tried_week_before)         AS tried_week_before
    FROM on_tasks
    JOIN task ON task.id = on_tasks.task
    LEFT JOIN solved USING (engagement)
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
    course, user_id, stuck_tasks, submits_7, solved_7,
    nullif(per_solved, 'Infinity'),
    stuck_tasks > 0,
    coalesce(per_solved >= high AND per_solved > least, false),
    tried_week_before AND NOT tried_7,
    runs > 0 AND submits = 0
FROM effort
JOIN usual_effort USING (course)
JOIN learner ON learner.id = effort.learner
$$;
