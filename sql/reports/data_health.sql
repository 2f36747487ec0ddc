-- title: Качество данных
-- description: Что стало с каждой строкой ответа API и чего не хватает в загруженных попытках.
-- sheet: 28 days
-- tab: 900
-- column label of day: Показатель
-- column value of day: Значение
-- plot: value by metric
-- units: value by unit or text
-- history: all
-- behind received: elements
-- behind stored: elements
-- behind duplicates: rejected, reasons = '{duplicate_key}'
-- behind rejected: rejected, reasons <> '{duplicate_key}'
-- behind rejected_: rejected, reasons <> '{duplicate_key}'
-- behind rejected_share: elements
-- behind differing: elements
-- behind updated: elements
-- behind without_url_share: day
-- behind unread: day
-- behind without_verdict: day, is_submit
-- behind courses_without_url: day
--
-- What became of each element of the API's answer, and what the loaded attempts lack: course and task,
-- outcome URL, a submit's verdict. Shares are those of the day's loaded attempts. An element may be
-- rejected for several reasons and counts under each of them. Duplicates have a line of their own, so
-- their reason has none. Nothing is counted by course: the report courses has the share without outcome
-- URL, and a line for the attempts that cannot be read. These may be of few learners, so only whether
-- they are 5 per cent is said here, as by the check courses_and_tasks_are_readable. The first stored
-- day is the one since which learners are known: new users have no attempt before.
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
courses AS (
    SELECT
        task.course,
        sum(runs + submits)                       AS attempts,
        sum(without_outcome_url)                  AS without_url,
        bool_or(known_task.id IS NOT NULL)        AS is_known
    FROM engagement_day
    JOIN task ON task.id = engagement_day.task
    LEFT JOIN known_task ON known_task.id = task.id
    WHERE report_date = %(report_date)s
    GROUP BY task.course
),
found AS (
    SELECT
        sum(attempts)                                                     AS attempts,
        coalesce(sum(without_url), 0)                                     AS without_url,
        coalesce(sum(attempts) FILTER (WHERE NOT is_known), 0)            AS without_task,
        count(*) FILTER (WHERE is_known AND without_url = attempts)       AS courses_without_url
    FROM courses
),
verdicts AS (
    SELECT coalesce(sum(without_verdict), 0) AS missing FROM learner_hour
),
stored AS (
    SELECT to_char(min(report_date), 'DD.MM.YYYY') AS first_day
    FROM rollup_day
    WHERE report_date <= %(report_date)s
),
lines AS (
    SELECT 'received' AS metric, 'Строк получено от API' AS label,
        received::numeric AS value, 'count' AS unit, NULL AS text
    FROM ledger
    UNION ALL
    SELECT 'stored', 'Строк ответа в базе', loaded + already_there, 'count', NULL FROM ledger
    UNION ALL
    SELECT 'duplicates', 'Повторов в ответе', duplicates, 'count', NULL FROM ledger
    UNION ALL
    SELECT 'rejected', 'Строк отклонено', rejected, 'count', NULL FROM ledger
    UNION ALL
    SELECT 'rejected_share', 'Отклонено, %% от полученных строк',
        round(100.0 * rejected / nullif(received, 0), 2), 'percent', NULL
    FROM ledger
    UNION ALL
    SELECT 'differing', 'Строк ответа, которые расходятся с базой', differing, 'count', NULL
    FROM ledger
    UNION ALL
    SELECT 'updated', 'Строк в базе исправлено по ответу API', updated, 'count', NULL FROM ledger
    UNION ALL
    (SELECT 'rejected_' || reason, 'Отклонено строк: ' || reason, rows, 'count', NULL
    FROM reasons
    ORDER BY reason)
    UNION ALL
    SELECT 'without_url_share', 'Попыток без outcome URL, %% от загруженных попыток',
        round(100.0 * without_url / nullif(attempts, 0), 2), 'percent', NULL
    FROM found
    UNION ALL
    SELECT 'unread', 'Попыток, где не распознаны курс и задание, %% от загруженных попыток', NULL,
        'percent', CASE
            WHEN 100 * without_task < 5 * attempts THEN 'меньше 5 %%'
            WHEN attempts > 0 THEN '5 %% и больше'
        END
    FROM found
    UNION ALL
    SELECT 'without_verdict', 'Попыток (submit) без вердикта (считаются неуспешными)',
        missing, 'count', NULL
    FROM verdicts
    UNION ALL
    SELECT 'courses_without_url', 'Курсов без outcome URL', courses_without_url, 'count', NULL
    FROM found
    UNION ALL
    SELECT 'first_stored_day', 'Первый загруженный день', NULL, 'date', first_day FROM stored
)
-- A line's place is its place above: the parts of a UNION ALL come in their order.
SELECT row_number() OVER ()::integer AS place, metric, label, value, unit, text
FROM lines
