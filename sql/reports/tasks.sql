-- title: Задания
-- description: "Задания, которые пробовали в этот день: за день, за 28 дней и за всё время."
-- sheet: 1 day
-- dimension course: Курс
-- dimension task in course, period: Задание
-- dimension period: Период
-- learners learners listed in few_learners: Юзеров пробовали
-- learners submitted of learners: Юзеров сделали submit
-- learners solved of submitted: Юзеров решили
-- learners never_solved of learners: Юзеров пробовали и до сих пор не решили
-- column solved_share of submitted: Решили, % от сделавших submit
-- column difficulty_rank of submitted: Место по трудности в курсе (1 — труднейшее, по доле решивших)
-- learners first_submitters of submitted: Юзеров с первым submit в периоде
-- column first_submit_share of first_submitters: Решили с первого submit, % от юзеров с первым submit в периоде
-- column runs_before_submit of first_submitters: Запусков до первого submit, в среднем на юзера
-- learners first_solvers of solved: Юзеров, впервые решивших в периоде
-- column submits_until_solved of first_solvers: Попыток (submit) до решения, в среднем на впервые решившего
-- column median_submits_until_solved of first_solvers: Попыток (submit) до решения, медиана
-- column minutes_until_solved of first_solvers: Минут от первого run до решения без пауз дольше 30 минут, медиана
-- picture: bar x=task y=solved_share only=period:день top=20
-- history: all
--
-- The tasks that learners tried on the day: how many tried and solved them, and what it took, for
-- the day, its 28 days and all time. Solved means: at least one correct submit in the period. First
-- submit and first success are those of a learner's whole history with the task, as in Open edX
-- Aspects (aspects-dbt, dim_learner_first_response, dim_learner_first_success_response). A period
-- counts those that fell into it.
WITH tasks AS (
    SELECT DISTINCT task FROM recent_engagement WHERE last_date = %(report_date)s
),
-- A line for each period, learner and task that the learner tried in the period. All time is most of
-- the lines, and needs nothing of the 28 days.
tried AS (
    SELECT
        task, learner, 1 AS place, submits_1 > 0 AS submitted, successes_1 > 0 AS solved,
        first_submit_date = %(report_date)s                             AS submitted_first,
        first_success_date = %(report_date)s                            AS solved_first,
        first_submit_correct, runs_before_first_submit, first_success_date,
        submits_until_success, time_until_success
    FROM recent_engagement
    WHERE last_date = %(report_date)s
    UNION ALL
    SELECT
        task, learner, 2, submits > 0, successes > 0,
        first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s,
        first_success_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s,
        first_submit_correct, runs_before_first_submit, first_success_date,
        submits_until_success, time_until_success
    FROM recent_engagement
    UNION ALL
    SELECT
        task, learner, 3,
        first_submit_date <= %(report_date)s, first_success_date <= %(report_date)s,
        first_submit_date <= %(report_date)s, first_success_date <= %(report_date)s,
        first_submit_correct, runs_before_first_submit, first_success_date,
        submits_until_success, time_until_success
    FROM engagement
    WHERE first_attempt_date <= %(report_date)s
),
-- Each period is grouped alone, and medians come from lists: otherwise PostgreSQL sorts all lines.
counted AS (
    SELECT period.place, in_period.*
    FROM (VALUES (1), (2), (3)) AS period (place)
    CROSS JOIN LATERAL (
        SELECT
            task,
            count(*)                                                  AS learners,
            few(array_agg(learner))                                   AS few_learners,
            count(*) FILTER (WHERE submitted)                         AS submitted,
            count(*) FILTER (WHERE solved)                            AS solved,
            count(*) FILTER (
                WHERE (first_success_date <= %(report_date)s) IS NOT TRUE
            )                                                         AS never_solved,
            count(*) FILTER (WHERE submitted_first)                   AS first_submitters,
            count(*) FILTER (WHERE submitted_first AND first_submit_correct)
                                                                      AS first_submit_solvers,
            avg(runs_before_first_submit) FILTER (WHERE submitted_first)
                                                                      AS runs_before_submit,
            array_agg(submits_until_success) FILTER (WHERE solved_first)
                                                                      AS submits_until_solved,
            array_agg(date_part('epoch', time_until_success))
                FILTER (WHERE solved_first AND time_until_success IS NOT NULL)
                                                                      AS seconds_until_solved
        FROM tried
        WHERE tried.place = period.place
          AND task IN (SELECT task FROM tasks)
        GROUP BY task
    ) AS in_period
),
figures AS (
    SELECT *
    FROM counted
    CROSS JOIN LATERAL (
        SELECT
            count(*)                                           AS first_solvers,
            avg(submits)                                       AS mean_submits,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY submits) AS median_submits
        FROM (SELECT unnest(submits_until_solved) AS submits) AS x
    ) AS first_solutions
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds
        FROM (SELECT unnest(seconds_until_solved) AS seconds) AS x
    ) AS first_times
)
SELECT
    course, named.task, place, (ARRAY['день', '28 дней', 'всё время'])[place] AS period,
    learners, submitted, solved, never_solved,
    round(100.0 * solved / nullif(submitted, 0), 1)                        AS solved_share,
    CASE WHEN submitted > 0 THEN
        rank() OVER (PARTITION BY course, place ORDER BY solved::numeric / nullif(submitted, 0))
    END                                                                    AS difficulty_rank,
    first_submitters,
    round(100.0 * first_submit_solvers / nullif(first_submitters, 0), 1)   AS first_submit_share,
    round(runs_before_submit, 1)                                           AS runs_before_submit,
    first_solvers,
    round(mean_submits, 1)                                                 AS submits_until_solved,
    round(median_submits::numeric, 1)                            AS median_submits_until_solved,
    round(median_seconds::numeric / 60, 1)                                 AS minutes_until_solved,
    few_learners
FROM figures
JOIN known_task AS named ON named.id = figures.task
