-- title: Недели
-- description: Неделя каждого курса, с понедельника по воскресенье, рядом с предыдущей.
-- sheet: 92 days
-- tab: 15
-- dimension course: Курс
-- learners learners listed in few_learners: Юзеров с попытками за неделю
-- learners submitting_learners of learners: Юзеров, сделавших submit
-- column attempts of learners: Попыток (run и submit) за неделю
-- column submits of submitting_learners: Попыток (submit) за неделю
-- column successes of submitting_learners: Успешных попыток (submit) за неделю
-- column success_share of submitting_learners: Доля успешных, % от попыток (submit)
-- learners learners_before: Юзеров за предыдущую неделю
-- learners submitting_before of learners_before: Юзеров, сделавших submit на предыдущей неделе
-- column attempts_before of learners_before: Попыток (run и submit) за предыдущую неделю
-- column submits_before of submitting_before: Попыток (submit) за предыдущую неделю
-- column success_share_before of submitting_before: Доля успешных за предыдущую неделю, % от попыток (submit)
-- column missing of day: Каких дней двух недель нет
-- unit success_share: percent
-- unit success_share_before: percent
-- history: 14 days
-- behind learners: 7 days
-- behind submitting_learners: 7 days, is_submit
-- behind attempts: 7 days
-- behind submits: 7 days, is_submit
-- behind successes: 7 days, is_success
-- behind success_share: 7 days, is_submit
-- behind learners_before: 14 days
-- behind submitting_before: 14 days, is_submit
-- behind attempts_before: 14 days
-- behind submits_before: 14 days, is_submit
-- behind success_share_before: 14 days, is_submit
--
-- Each course's week, which ends on Sunday, beside the week before. Only Sundays have lines. The weekly
-- mail is made of them. Attempts whose course cannot be read have a line of their own. If days of the two
-- weeks are not stored, the last column says how many.
WITH weeks AS (
    SELECT
        coalesce(course, 'не распознан')               AS course,
        report_date > %(report_date)s::date - 7        AS is_this,
        learner,
        sum(runs + submits)                            AS attempts,
        sum(submits)                                   AS submits,
        sum(successes)                                 AS successes
    FROM engagement_day
    LEFT JOIN known_task AS task ON task.id = engagement_day.task
    WHERE report_date BETWEEN %(report_date)s::date - 13 AND %(report_date)s
      AND extract(isodow FROM %(report_date)s::date) = 7
    GROUP BY 1, 2, learner
),
courses AS (
    SELECT
        course,
        count(*) FILTER (WHERE is_this)                       AS learners,
        few(array_agg(learner) FILTER (WHERE is_this))        AS few_learners,
        count(*) FILTER (WHERE is_this AND submits > 0)       AS submitting_learners,
        coalesce(sum(attempts) FILTER (WHERE is_this), 0)     AS attempts,
        coalesce(sum(submits) FILTER (WHERE is_this), 0)      AS submits,
        coalesce(sum(successes) FILTER (WHERE is_this), 0)    AS successes,
        count(*) FILTER (WHERE NOT is_this)                   AS learners_before,
        count(*) FILTER (WHERE NOT is_this AND submits > 0)   AS submitting_before,
        coalesce(sum(attempts) FILTER (WHERE NOT is_this), 0) AS attempts_before,
        coalesce(sum(submits) FILTER (WHERE NOT is_this), 0)  AS submits_before,
        sum(successes) FILTER (WHERE NOT is_this)             AS successes_before
    FROM weeks
    GROUP BY course
),
-- Nothing is known of a week of which no day is stored: that is not 0.
known AS (
    SELECT count(*) > 0 AS is_before_known
    FROM rollup_day
    WHERE report_date BETWEEN %(report_date)s::date - 13 AND %(report_date)s::date - 7
)
SELECT
    course, learners, submitting_learners, attempts, submits, successes,
    round(100.0 * successes / nullif(submits, 0), 1)               AS success_share,
    CASE WHEN is_before_known THEN learners_before END             AS learners_before,
    CASE WHEN is_before_known THEN submitting_before END           AS submitting_before,
    CASE WHEN is_before_known THEN attempts_before END             AS attempts_before,
    CASE WHEN is_before_known THEN submits_before END              AS submits_before,
    round(100.0 * successes_before / nullif(submits_before, 0), 1) AS success_share_before,
    missing_days(%(report_date)s, 14)                              AS missing,
    few_learners
FROM courses
CROSS JOIN known
