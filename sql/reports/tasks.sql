-- title: Задания
-- description: "Задания, которые пробовали в этот день: за день, за 28 дней и за всё время."
-- sheet: 1 day
-- tab: 20
-- dimension course: Курс
-- dimension task in course, period: Задание
-- dimension period: Период (всё время — с первого загруженного дня)
-- learners learners listed in few_learners: Юзеров пробовали
-- learners submitted of learners: Из них сделали submit к концу дня, также до периода
-- learners solved of submitted: Из них решили к концу дня, также до периода
-- learners never_solved of learners: Не решили к концу дня, из всех пробовавших
-- column solved_share of submitted: Решили, % от сделавших submit к концу дня
-- column difficulty_rank of submitted: Место по трудности среди заданий курса с submit в периоде (1 — труднейшее, по доле решивших)
-- learners first_submitters of submitted: Юзеров с первым submit в периоде
-- column first_submit_share of first_submitters: Решили с первого submit, % от юзеров с первым submit в периоде
-- column runs_before_submit of first_submitters: Запусков до первого submit, в среднем на юзера
-- learners first_solvers of solved: Юзеров, впервые решивших в периоде
-- column submits_until_solved of first_solvers: Попыток (submit) до решения, в среднем на впервые решившего
-- column median_submits_until_solved of first_solvers: Попыток (submit) до решения, медиана
-- column minutes_until_solved of first_solvers: Минут от первого run до решения без пауз дольше 30 минут, медиана
-- column ranked_tasks of submitted: Из скольких заданий курса
-- learners timed_solvers of first_solvers: Юзеров с известным временем решения (run раньше решения)
-- formerly period: Период
-- formerly submitted: Юзеров сделали submit
-- formerly solved: Юзеров решили
-- formerly never_solved: Из них не решили к концу дня | Юзеров пробовали и до сих пор не решили
-- formerly solved_share: Решили, % от сделавших submit
-- formerly difficulty_rank: Место по трудности в курсе (1 — труднейшее, по доле решивших)
-- unit solved_share: percent
-- unit first_submit_share: percent
-- unusual solved_share: below 20
-- details: solved, first_submitters, runs_before_submit, first_solvers, median_submits_until_solved, ranked_tasks, timed_solvers
-- picture: bar x=task y=solved_share only=period:день top=20
-- history: all
-- behind learners: period
-- behind difficulty_rank: all of course
-- behind ranked_tasks: all of course
--
-- The tasks that learners tried on the day: how many tried and solved them, and what it took, for
-- the day, its 28 days and all time, which is since the first stored day. A line is about the learners
-- who tried the task in the period. Submitted and solved mean: up to the end of the day, also before the
-- period, so solved and never solved are together those who tried. First submit and first success are
-- those of a learner's whole history with the task, as in Open edX Aspects (aspects-dbt,
-- dim_learner_first_response, dim_learner_first_success_response). A period counts those that fell into
-- it. The time until the solution is known of those who ran the task before they solved it.
--
-- Difficulty ranks all tasks of the course that were submitted in the period, by the share of solved of
-- those who tried in the period and have submitted. Equal shares have the same rank. ranked_tasks says
-- how many tasks are ranked. A task without a submit in the period has no rank.
--
-- attempts, submits and successes of the day and the 28 days stay in the database: with them, figures
-- by task could be subtracted from those by course.
WITH
-- A line for the day and for the 28 days, learner and task that the learner tried in the period.
tried AS (
    SELECT
        task, learner, 1 AS place, runs_1 + submits_1 AS attempts, submits_1 AS submits,
        successes_1 AS successes, first_submit_date, first_success_date,
        first_submit_date = %(report_date)s                             AS submitted_first,
        first_success_date = %(report_date)s                            AS solved_first,
        first_submit_correct, runs_before_first_submit,
        submits_until_success, time_until_success
    FROM recent_engagement
    WHERE last_date = %(report_date)s
    UNION ALL
    SELECT
        task, learner, 2, runs + submits, submits, successes, first_submit_date, first_success_date,
        first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s,
        first_success_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s,
        first_submit_correct, runs_before_first_submit,
        submits_until_success, time_until_success
    FROM recent_engagement
),
-- Each period is grouped alone, and medians come from lists: otherwise PostgreSQL sorts all lines. The
-- tasks that were not tried on the day are needed for the rank.
counted AS (
    SELECT period.place, in_period.*
    FROM (VALUES (1), (2)) AS period (place)
    CROSS JOIN LATERAL (
        SELECT
            task,
            count(*)                                                  AS learners,
            few(array_agg(learner))                                   AS few_learners,
            sum(attempts)                                             AS attempts,
            sum(submits)                                              AS submits,
            sum(successes)                                            AS successes,
            count(*) FILTER (WHERE first_submit_date <= %(report_date)s)  AS submitted,
            count(*) FILTER (WHERE first_success_date <= %(report_date)s) AS solved,
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
        GROUP BY task
    ) AS in_period
    UNION ALL
    SELECT
        3, task, learners, few_learners, NULL, NULL, NULL, submitted, solved,
        submitted, first_submit_solvers,
        runs_before_first_submit::numeric / nullif(submitted, 0),
        submits_until_success, seconds_until_success
    FROM task_all_time
),
-- Equal shares are equal as double precision, whatever they are shares of. In all time, each task with
-- learners who have submitted was submitted.
ranked AS (
    SELECT
        place, id AS task,
        rank() OVER (PARTITION BY course, place ORDER BY solved::float8 / submitted) AS rank,
        count(*) OVER (PARTITION BY course, place)                                   AS tasks
    FROM counted
    JOIN known_task AS named ON named.id = counted.task
    WHERE coalesce(submits, submitted) > 0
),
figures AS (
    SELECT
        *,
        coalesce(cardinality(submits_until_solved), 0)::bigint AS first_solvers,
        coalesce(cardinality(seconds_until_solved), 0)::bigint AS timed_solvers
    FROM counted
    CROSS JOIN LATERAL (
        SELECT
            avg(submits)                                         AS mean_submits,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY submits) AS median_submits
        FROM (SELECT unnest(submits_until_solved) AS submits) AS x
    ) AS first_solutions
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_seconds
        FROM (SELECT unnest(seconds_until_solved) AS seconds) AS x
    ) AS first_times
    WHERE task IN (SELECT task FROM counted WHERE place = 1)
)
SELECT
    course, named.task, figures.place,
    (ARRAY['день', '28 дней', 'всё время'])[figures.place]                 AS period,
    learners, submitted, solved, learners - solved                         AS never_solved,
    round(100.0 * solved / nullif(submitted, 0), 1)                        AS solved_share,
    ranked.rank                                                            AS difficulty_rank,
    first_submitters,
    round(100.0 * first_submit_solvers / nullif(first_submitters, 0), 1)   AS first_submit_share,
    round(runs_before_submit, 1)                                           AS runs_before_submit,
    first_solvers,
    round(mean_submits, 1)                                                 AS submits_until_solved,
    round(median_submits::numeric, 1)                            AS median_submits_until_solved,
    round(median_seconds::numeric / 60, 1)                                 AS minutes_until_solved,
    few_learners,
    ranked.tasks                                                           AS ranked_tasks,
    timed_solvers, attempts, submits, successes
FROM figures
JOIN known_task AS named ON named.id = figures.task
LEFT JOIN ranked ON (ranked.task, ranked.place) = (figures.task, figures.place)
