-- title: Проверить тесты заданий
-- description: Задания, где доля успешных попыток резко упала против 27 предыдущих дней.
-- sheet: yes
-- dimension course: Курс
-- dimension task in course: Задание
-- learners learners: Юзеров, сделавших submit
-- column success_share of learners: Доля успешных, % от попыток (submit)
-- learners learners_before: Юзеров, сделавших submit за 27 предыдущих дней
-- column submits_before of learners_before: Попыток (submit) за 27 предыдущих дней
-- column success_share_before of learners_before: Доля успешных за 27 предыдущих дней, % от попыток (submit)
-- history: 28 days
--
-- Tasks whose share of successful submits fell sharply against the 27 days before: their tests may
-- be broken. Sharply means: at least 10 submits on the day and 30 before, at most half the share of
-- before, and a fall of three standard errors or more. Chance alone does that once in 700 times.
WITH tasks AS (
    SELECT
        task                                  AS id,
        sum(submits_1)                        AS submits,
        sum(successes_1)                      AS successes,
        sum(submits) - sum(submits_1)         AS submits_before,
        sum(successes) - sum(successes_1)     AS successes_before
    FROM recent_engagement
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
-- A task has one engagement of each learner.
learners AS (
    SELECT
        task                                          AS id,
        count(*) FILTER (WHERE submits_1 > 0)         AS learners,
        count(*) FILTER (WHERE submits > submits_1)   AS learners_before
    FROM recent_engagement
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
