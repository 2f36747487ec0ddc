-- title: Курсы
-- description: День каждого курса рядом с его предыдущими семью днями.
-- sheet: 28 days
-- tab: 10
-- dimension course: Курс
-- learners learners listed in few_learners: Юзеров с попытками
-- learners submitting_learners of learners: Юзеров, сделавших submit
-- column tasks of learners: Заданий с попытками
-- sum attempts of learners: Попыток (run и submit)
-- sum runs of learners: Запусков (run)
-- sum submits of learners: Попыток (submit)
-- sum successes of learners: Успешных попыток (submit)
-- sum wrong_submits of learners: Неуспешных попыток (submit), включая без вердикта
-- column success_share of submitting_learners: Доля успешных, % от попыток (submit)
-- learners first_try_learners of learners: Юзеров, впервые сделавших submit хотя бы одного задания
-- column first_try_share of first_try_learners: Решили с первого submit, % от пар юзер–задание с первым submit в этот день
-- learners learners_before: Юзеров за 7 предыдущих дней
-- column attempts_before of learners_before: Попыток за 7 предыдущих дней, в среднем за день
-- column attempts_change of learners_before: Изменение попыток, % от среднего за 7 предыдущих дней
-- column success_share_before of learners_before: Доля успешных за 7 предыдущих дней, % от попыток (submit)
-- column first_tries of first_try_learners: Пар юзер–задание с первым submit в этот день
-- column without_url_share of learners: Без outcome URL, % от попыток
-- formerly first_try_share: Решили с первого submit, % от юзеров, впервые сделавших submit
-- formerly wrong_submits: Неуспешных попыток (submit)
-- unit success_share: percent
-- unit first_try_share: percent
-- unit attempts_change: change
-- unit success_share_before: percent
-- unit without_url_share: percent
-- unusual attempts_change: below -50
-- unusual success_share: below 20
-- details: runs, wrong_submits, first_try_learners, learners_before, success_share_before, first_tries, without_url_share
-- picture: bar x=course y=attempts,submits,successes
-- history: all
-- behind learners: day
-- behind submitting_learners: day, is_submit
-- behind tasks: day
-- behind attempts: day
-- behind runs: day, is_run
-- behind submits: day, is_submit
-- behind successes: day, is_success
-- behind wrong_submits: day, is_submit
-- behind without_url_share: day
-- behind success_share: day, is_submit
-- behind learners_before: 8 days
-- behind attempts_before: 8 days
-- behind attempts_change: 8 days
-- behind success_share_before: 8 days
--
-- Each course's day beside its seven days before: attempts, learners and shares. Attempts whose course
-- and task cannot be read have a line of their own, so the courses together have the day's totals. A
-- submit without verdict is a wrong one. Averages of the days before count only those that were loaded.
-- Solved with the first submit counts pairs of a learner and a task whose first submit ever is of this
-- day, as Open edX Aspects counts a learner's first response to a problem (aspects-dbt,
-- dim_learner_first_response).
WITH today AS (
    SELECT
        coalesce(course, 'не распознан')                    AS course,
        count(DISTINCT learner)                             AS learners,
        few(array_agg(DISTINCT learner))                    AS few_learners,
        count(DISTINCT learner) FILTER (WHERE submits > 0)  AS submitting_learners,
        count(DISTINCT task.id)                             AS tasks,
        sum(runs)                                           AS runs,
        sum(submits)                                        AS submits,
        sum(successes)                                      AS successes,
        sum(wrong_submits)                                  AS wrong_submits,
        sum(without_outcome_url)                            AS without_url
    FROM engagement_day
    LEFT JOIN known_task AS task ON task.id = engagement_day.task
    WHERE report_date = %(report_date)s
    GROUP BY coalesce(course, 'не распознан')
),
first_tries AS (
    SELECT
        course,
        count(DISTINCT learner)                        AS learners,
        count(*)                                       AS pairs,
        count(*) FILTER (WHERE first_submit_correct)   AS successful
    FROM recent_engagement
    JOIN known_task AS task ON task.id = recent_engagement.task
    WHERE first_submit_date = %(report_date)s
    GROUP BY course
),
loaded_days AS (
    SELECT count(*) AS days
    FROM rollup_day
    WHERE report_date BETWEEN %(report_date)s::date - 7 AND %(report_date)s::date - 1
),
before AS (
    SELECT
        course,
        count(*)        AS learners,
        sum(attempts)   AS attempts,
        sum(submits)    AS submits,
        sum(successes)  AS successes
    FROM (
        SELECT
            coalesce(course, 'не распознан') AS course, learner,
            sum(runs + submits) AS attempts, sum(submits) AS submits, sum(successes) AS successes
        FROM engagement_day
        LEFT JOIN known_task AS task ON task.id = engagement_day.task
        WHERE report_date BETWEEN %(report_date)s::date - 7 AND %(report_date)s::date - 1
        GROUP BY coalesce(course, 'не распознан'), learner
    ) AS learners
    GROUP BY course
)
SELECT
    course,
    coalesce(today.learners, 0)                                          AS learners,
    coalesce(submitting_learners, 0)                                     AS submitting_learners,
    coalesce(tasks, 0)                                                   AS tasks,
    coalesce(today.runs + today.submits, 0)                              AS attempts,
    coalesce(today.runs, 0)                                              AS runs,
    coalesce(today.submits, 0)                                           AS submits,
    coalesce(today.successes, 0)                                         AS successes,
    coalesce(wrong_submits, 0)                                           AS wrong_submits,
    round(100.0 * today.successes / nullif(today.submits, 0), 1)         AS success_share,
    coalesce(first_tries.learners, 0)                                    AS first_try_learners,
    round(100.0 * first_tries.successful / first_tries.pairs, 1)         AS first_try_share,
    CASE WHEN days > 0 THEN coalesce(before.learners, 0) END             AS learners_before,
    round(coalesce(before.attempts, 0)::numeric / nullif(days, 0), 1)    AS attempts_before,
    round(
        100.0 * (coalesce(today.runs + today.submits, 0) * days - before.attempts)
        / nullif(before.attempts, 0), 1
    )                                                                    AS attempts_change,
    round(100.0 * before.successes / nullif(before.submits, 0), 1)       AS success_share_before,
    few_learners,
    coalesce(first_tries.pairs, 0)                                       AS first_tries,
    round(100.0 * without_url / nullif(today.runs + today.submits, 0), 1) AS without_url_share
FROM today
FULL JOIN before USING (course)
LEFT JOIN first_tries USING (course)
CROSS JOIN loaded_days
