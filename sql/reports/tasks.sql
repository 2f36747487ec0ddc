-- title: Задания
-- description: "Задания, которые пробовали в этот день: за день, за 28 дней и за всё время."
-- sheet: 1 day
-- column course: Курс
-- column task: Задание
-- column period: Период
-- column learners: Юзеров пробовали
-- column submitted: Юзеров сделали submit
-- column solved: Юзеров решили
-- column never_solved: Юзеров пробовали и до сих пор не решили
-- column solved_share of submitted: Решили, % от сделавших submit
-- column difficulty_rank of submitted: Место по трудности в курсе (1 — труднейшее, по доле решивших)
-- column first_submitters: Юзеров с первым submit в периоде
-- column first_submit_share of first_submitters: Решили с первого submit, % от юзеров с первым submit в периоде
-- column runs_before_submit of first_submitters: Запусков до первого submit, в среднем на юзера
-- column first_solvers: Юзеров, впервые решивших в периоде
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
    SELECT DISTINCT task FROM engagement_day WHERE report_date = %(report_date)s
),
-- What learners did on the day and in its 28 days. It is on all tasks: most of them are tasks of the
-- day, and planners misjudge a join with rows that are not grouped yet.
recent AS (
    SELECT
        engagement, task,
        bool_or(report_date = %(report_date)s)                   AS tried_today,
        bool_or(report_date = %(report_date)s AND submits > 0)   AS submitted_today,
        bool_or(report_date = %(report_date)s AND successes > 0) AS solved_today,
        bool_or(submits > 0)                                     AS submitted_28,
        bool_or(successes > 0)                                   AS solved_28
    FROM engagement_day
    WHERE report_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s
    GROUP BY engagement, task
),
-- Numbers grow with the days, so engagements with smaller numbers are not in the 28 days.
recently_met AS (
    SELECT * FROM engagement WHERE id >= (SELECT min(engagement) FROM recent)
),
-- A line for each period, learner and task that the learner tried in the period. All time is most of
-- the lines. It needs no day's rows, so nothing is joined to it.
tried AS (
    SELECT
        recent.task, place, submitted, solved,
        first_submit_date BETWEEN first_day AND %(report_date)s         AS submitted_first,
        first_success_date BETWEEN first_day AND %(report_date)s        AS solved_first,
        first_submit_correct, runs_before_first_submit, first_success_date,
        submits_until_success, time_until_success
    FROM recent
    JOIN recently_met AS met ON met.id = recent.engagement
    CROSS JOIN LATERAL (VALUES
        (1, %(report_date)s::date, tried_today, submitted_today, solved_today),
        (2, %(report_date)s::date - 27, true, submitted_28, solved_28)
    ) AS period (place, first_day, tried, submitted, solved)
    WHERE tried
    UNION ALL
    SELECT
        task, 3,
        first_submit_date <= %(report_date)s, first_success_date <= %(report_date)s,
        first_submit_date <= %(report_date)s, first_success_date <= %(report_date)s,
        first_submit_correct, runs_before_first_submit, first_success_date,
        submits_until_success, time_until_success
    FROM engagement
    WHERE first_attempt_date <= %(report_date)s
),
figures AS (
    SELECT
        task, place,
        count(*)                                                  AS learners,
        count(*) FILTER (WHERE submitted)                         AS submitted,
        count(*) FILTER (WHERE solved)                            AS solved,
        count(*) FILTER (
            WHERE (first_success_date <= %(report_date)s) IS NOT TRUE
        )                                                         AS never_solved,
        count(*) FILTER (WHERE submitted_first)                   AS first_submitters,
        count(*) FILTER (WHERE submitted_first AND first_submit_correct) AS first_submit_solvers,
        avg(runs_before_first_submit) FILTER (WHERE submitted_first)     AS runs_before_submit,
        count(*) FILTER (WHERE solved_first)                      AS first_solvers,
        avg(submits_until_success) FILTER (WHERE solved_first)    AS submits_until_solved,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY submits_until_success)
            FILTER (WHERE solved_first)                           AS median_submits,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY time_until_success)
            FILTER (WHERE solved_first)                           AS median_time
    FROM tried
    WHERE task IN (SELECT task FROM tasks)
    GROUP BY task, place
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
    round(submits_until_solved, 1)                                         AS submits_until_solved,
    round(median_submits::numeric, 1)                            AS median_submits_until_solved,
    round(extract(epoch FROM median_time) / 60, 1)                         AS minutes_until_solved
FROM figures
JOIN known_task AS named ON named.id = figures.task
