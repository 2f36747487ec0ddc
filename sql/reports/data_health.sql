-- title: Качество данных
-- description: Что стало с каждой строкой ответа API и чего не хватает в загруженных попытках.
-- sheet: 28 days
-- column label of day: Показатель
-- column value of day: Значение
-- plot: value by metric
-- history: 1 day
--
-- What became of each element of the API's answer, and what the loaded attempts lack: course, task
-- or outcome URL. An element may be rejected for several reasons and counts under each of them.
-- Duplicates have a line of their own, so their reason has none.
WITH ledger AS (
    SELECT * FROM grader_load WHERE report_date = %(report_date)s
),
reasons AS (
    SELECT reason, count(*) AS rows
    FROM grader_rejected, unnest(reasons) AS reason
    WHERE report_date = %(report_date)s
      AND reason <> 'duplicate_key'
    GROUP BY reason
),
learner_tasks AS (
    SELECT course, task, user_id, runs + submits AS attempts, without_outcome_url
    FROM learner_task_day
    WHERE report_date = %(report_date)s
),
found AS (
    SELECT
        coalesce(sum(attempts), 0)                                            AS attempts,
        coalesce(sum(without_outcome_url), 0)                                 AS without_url,
        coalesce(sum(attempts) FILTER (WHERE task = 'не распознано'), 0)      AS without_task
    FROM learner_tasks
),
courses AS (
    SELECT
        course,
        sum(attempts)                            AS attempts,
        count(DISTINCT user_id)                  AS learners,
        sum(attempts) - sum(without_outcome_url) AS with_url
    FROM learner_tasks
    WHERE course <> 'не распознан'
    GROUP BY course
),
lines AS (
    SELECT 'received' AS metric, 'Строк получено от API' AS label,
        received::numeric AS value, NULL::bigint AS learners
    FROM ledger
    UNION ALL
    SELECT 'stored', 'Строк ответа в базе', loaded + already_there, NULL FROM ledger
    UNION ALL
    SELECT 'duplicates', 'Повторов в ответе', duplicates, NULL FROM ledger
    UNION ALL
    SELECT 'rejected', 'Строк отклонено', rejected, NULL FROM ledger
    UNION ALL
    SELECT 'rejected_share', 'Отклонено, %% от полученных строк',
        round(100.0 * rejected / nullif(received, 0), 2), NULL
    FROM ledger
    UNION ALL
    SELECT 'differing', 'Строк ответа, которые расходятся с базой', differing, NULL FROM ledger
    UNION ALL
    SELECT 'updated', 'Строк в базе исправлено по ответу API', updated, NULL FROM ledger
    UNION ALL
    (SELECT 'rejected_' || reason, 'Отклонено строк: ' || reason, rows, NULL
    FROM reasons
    ORDER BY reason)
    UNION ALL
    SELECT 'without_url_share', 'Попыток без outcome URL, %% от загруженных попыток',
        round(100.0 * without_url / nullif(attempts, 0), 2), NULL
    FROM found
    UNION ALL
    SELECT 'without_task', 'Попыток, где не распознаны курс или задание', without_task, NULL
    FROM found
    UNION ALL
    SELECT 'courses_without_url', 'Курсов без outcome URL',
        count(*) FILTER (WHERE with_url = 0), NULL
    FROM courses
    UNION ALL
    (SELECT 'without_url ' || course, 'Попыток в курсе без outcome URL: ' || course, attempts,
        learners
    FROM courses
    WHERE with_url = 0
    ORDER BY course)
)
-- A line's place is its place above: the parts of a UNION ALL come in their order.
SELECT row_number() OVER ()::integer AS place, metric, label, value, learners
FROM lines
