-- title: Проверить тесты заданий
-- description: Задания, где доля успешных попыток резко упала против 27 предыдущих дней.
-- sheet: yes
-- column course: Курс
-- column task: Задание
-- column learners: Юзеров, сделавших submit
-- column submits: Попыток (submit)
-- column success_share: Доля успешных, % от попыток (submit)
-- column submits_before: Попыток (submit) за 27 предыдущих дней
-- column success_share_before of learners_before: Доля успешных за 27 предыдущих дней, % от попыток (submit)
-- history: 28 days
--
-- Tasks whose share of successful submits fell sharply against the 27 days before: their tests may
-- be broken. Sharply means: at least 10 submits on the day and 30 before, at most half the share of
-- before, and a fall of three standard errors or more. Chance alone does that once in 700 times.
WITH submits AS (
    SELECT *, report_date = %(report_date)s AS is_today
    FROM engagement_day
    WHERE report_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s
      AND submits > 0
),
tasks AS (
    SELECT
        task                                             AS id,
        sum(submits) FILTER (WHERE is_today)             AS submits,
        sum(successes) FILTER (WHERE is_today)           AS successes,
        sum(submits) FILTER (WHERE NOT is_today)         AS submits_before,
        sum(successes) FILTER (WHERE NOT is_today)       AS successes_before
    FROM submits
    GROUP BY task
),
shares AS (
    SELECT
        *,
        successes::numeric / submits               AS share,
        successes_before::numeric / submits_before AS share_before
    FROM tasks
    WHERE submits >= 10
      AND submits_before >= 30
),
broken AS (
    SELECT *
    FROM shares
    WHERE share <= share_before / 2
      AND share_before - share >= 3 * sqrt(share_before * (1 - share_before) / submits)
      AND share_before > 0
),
-- Learners are counted for these tasks only, because that is slow.
learners AS (
    SELECT
        task                                                AS id,
        count(DISTINCT learner) FILTER (WHERE is_today)     AS learners,
        count(DISTINCT learner) FILTER (WHERE NOT is_today) AS learners_before
    FROM submits
    WHERE task IN (SELECT id FROM broken)
    GROUP BY task
)
SELECT
    course, task, learners, submits,
    round(100 * share, 1)         AS success_share,
    learners_before,
    submits_before,
    round(100 * share_before, 1)  AS success_share_before
FROM broken
JOIN learners USING (id)
JOIN known_task USING (id)
