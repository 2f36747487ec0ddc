-- title: Проверить тесты заданий
-- description: Задания, которые вдруг почти никто не решает, и те, что ещё никто не решил.
-- sheet: yes
-- tab: 30
-- dimension course: Курс
-- dimension task in course, kind: Задание
-- learners learners: Юзеров с первым submit (за день; если не решил никто — за всё время)
-- formerly learners: Юзеров, сделавших submit
-- column submits of learners: Попыток (submit) за всё время, если не решил никто
-- formerly submits: Попыток (submit)
-- column success_share of learners: Решили с первого submit, % от них
-- formerly success_share: Доля успешных, % от попыток (submit)
-- learners learners_before: Юзеров с первым submit за 27 предыдущих дней
-- formerly learners_before: Попыток (submit) за 27 предыдущих дней
-- column success_share_before of learners_before: Решили с первого submit за 27 предыдущих дней, % от них
-- formerly success_share_before: Доля успешных за 27 предыдущих дней, % от попыток (submit)
-- column expected_share of learners_before: Ожидалось, % (доля за 27 дней с поправкой на силу юзеров дня)
-- behind expected_share: all of user_id
-- behind chance: all of user_id
-- dimension kind: Что случилось
-- unit success_share: percent
-- unit success_share_before: percent
-- unit expected_share: percent
-- unusual kind: text резко упала
-- history: all
--
-- Tasks whose tests may be broken. There are two kinds.
--
-- The share fell sharply. Counted are first submits of learners with a task, one for each learner:
-- how often somebody submits again says nothing of the task. Expected is the share of the 27 days
-- before. If the day's learners do worse in their other tasks than those of the days before, it is
-- lowered by as much: who comes late to a task is often weaker. A task is shown if the share is at
-- most a tenth of the expected one and chance alone does that in at most 2.5 %% of days (tail of the
-- beta-binomial distribution of the learners before, one failure added). It needs the first submits
-- of 5 learners on the day and of 20 before.
--
-- A learner's strength is the share of their other tasks of the 28 days that they solved with the
-- first submit. Two tasks with the usual share of all are added, because many have few others.
--
-- Measured with `python -m benchmarks broken_tasks` (docs/benchmarks.md), which asks this query day
-- after day: of a simulated school without a broken test it shows 1 of 517 tasks that have as many
-- learners on a day. In four schools whose learners differ less or more, 1 of 236 to 1,375. It finds
-- 97 %% (91 to 99 %%) of the tasks that refuse everything, of 20 learners of whom 30 %% would have
-- solved it. It does not find a test that refuses only half of the right solutions. The numbers of
-- the rule are chosen by that simulation. The rule is our own.
--
-- Nobody has solved it: at least 5 learners have submitted, at least 15 times, and no submit of all
-- stored days up to the day is correct. Shown while somebody tries the task: the last attempt is one
-- of the 28 days.
WITH counted AS (
    SELECT
        task,
        count(*) FILTER (WHERE first_submit_date = %(report_date)s) AS learners,
        count(*) FILTER (WHERE first_submit_date = %(report_date)s AND first_submit_correct)
                                                                    AS solved,
        count(*) FILTER (WHERE is_before)                           AS learners_before,
        count(*) FILTER (WHERE is_before AND first_submit_correct)  AS solved_before,
        bool_or(first_success_date <= %(report_date)s)              AS is_solved,
        sum(submits)                                                AS submits
    FROM recent_engagement
    CROSS JOIN LATERAL (
        SELECT first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s::date - 1
            AS is_before
    ) AS first_submit
    GROUP BY task
),
tasks AS (
    SELECT counted.*
    FROM counted
    JOIN known_task ON known_task.id = counted.task
),
usual AS (
    SELECT sum(solved + solved_before) / nullif(sum(learners + learners_before), 0) AS share
    FROM tasks
),
-- The expected share is never above that of before: a first sieve, without the learners' strength.
suspects AS (
    SELECT *
    FROM tasks
    WHERE learners >= 5
      AND learners_before >= 20
      AND solved_before > 0
      AND 10 * solved * learners_before <= solved_before * learners
),
records AS (
    SELECT
        learner,
        count(*)                                     AS tasks,
        count(*) FILTER (WHERE first_submit_correct) AS solved
    FROM recent_engagement
    WHERE first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s
      AND task IN (SELECT id FROM known_task)
      AND learner IN (
          SELECT learner FROM recent_engagement WHERE task IN (SELECT task FROM suspects)
      )
    GROUP BY learner
),
strengths AS (
    SELECT
        task,
        avg(strength) FILTER (WHERE first_submit_date = %(report_date)s) AS today,
        avg(strength) FILTER (WHERE first_submit_date < %(report_date)s) AS before
    FROM recent_engagement
    JOIN records USING (learner)
    CROSS JOIN usual
    CROSS JOIN LATERAL (
        SELECT (solved - first_submit_correct::integer + 2 * usual.share) / (tasks - 1 + 2)
            AS strength
    ) AS others
    WHERE first_submit_date BETWEEN %(report_date)s::date - 27 AND %(report_date)s
      AND task IN (SELECT task FROM suspects)
    GROUP BY task
),
expected AS (
    SELECT
        *,
        (share * learners_before)::float8           AS right_before,
        ((1 - share) * learners_before + 1)::float8 AS wrong_before
    FROM suspects
    JOIN strengths USING (task)
    CROSS JOIN LATERAL (
        SELECT solved_before * least(1, today / before) / learners_before AS share
    ) AS adjusted
    WHERE 10 * solved <= share * learners
),
-- The chance that none of n learners solves the task is the product of (wrong + j) / (right + wrong + j)
-- for j from 0 to n - 1. Each further one multiplies it by (n - i + 1) / i * (right + i - 1) /
-- (wrong + n - i). As logarithms, because products of thousands are too small for a number.
chances AS (
    SELECT expected.*, tail.chance
    FROM expected
    CROSS JOIN LATERAL (
        SELECT sum(ln((wrong_before + j) / (right_before + wrong_before + j))) AS none
        FROM generate_series(0, learners - 1) AS j
    ) AS start
    CROSS JOIN LATERAL (
        SELECT sum(exp(greatest(none + further, -600))) AS chance
        FROM (
            SELECT sum(
                CASE WHEN i = 0 THEN 0 ELSE
                    ln((learners - i + 1) / i::float8
                       * (right_before + i - 1) / (wrong_before + learners - i))
                END
            ) OVER (ORDER BY i) AS further
            FROM generate_series(0, solved) AS i
        ) AS steps
    ) AS tail
),
-- Who solved it may have done so before the 28 days.
engagements AS MATERIALIZED (
    SELECT id, task, first_attempt_date, first_submit_date, first_success_date
    FROM engagement
    WHERE task IN (SELECT task FROM tasks WHERE is_solved IS NOT TRUE)
      AND first_attempt_date <= %(report_date)s
),
unsolved AS (
    SELECT task, count(*) FILTER (WHERE first_submit_date <= %(report_date)s) AS learners
    FROM engagements
    GROUP BY task
    HAVING count(*) FILTER (WHERE first_submit_date <= %(report_date)s) >= 5
       AND bool_or(first_success_date <= %(report_date)s) IS NOT TRUE
),
-- The submits of the 28 days are known.
unsolved_submits AS (
    SELECT unsolved.task, unsolved.learners, tasks.submits + coalesce(earlier.submits, 0) AS submits
    FROM unsolved
    JOIN tasks USING (task)
    LEFT JOIN (
        SELECT engagements.task, sum(day.submits) AS submits
        FROM engagements
        JOIN engagement_day AS day ON day.engagement = engagements.id
        WHERE engagements.task IN (SELECT task FROM unsolved)
          AND first_attempt_date < %(report_date)s::date - 27
          AND day.report_date < %(report_date)s::date - 27
        GROUP BY engagements.task
    ) AS earlier USING (task)
),
found AS (
    SELECT
        task                                            AS id,
        'резко упала доля решивших'                     AS kind,
        learners,
        NULL::bigint                                    AS submits,
        round(100.0 * solved / learners, 1)             AS success_share,
        learners_before,
        round(100.0 * solved_before / learners_before, 1) AS success_share_before,
        round(100 * share, 1)                           AS expected_share,
        round(chance::numeric, 4)                       AS chance
    FROM chances
    WHERE chance <= 0.025
    UNION ALL
    SELECT task, 'никто ещё не решил', learners, submits, 0, NULL, NULL, NULL, NULL
    FROM unsolved_submits
    WHERE submits >= 15
)
SELECT
    course, task, learners, submits, success_share, learners_before, success_share_before,
    expected_share, kind, chance
FROM found
JOIN known_task USING (id)
