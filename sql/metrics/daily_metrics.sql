-- The day's numbers, a line each in the order in which course staff read them.
WITH attempts AS (
    SELECT user_id, is_correct, attempt_type
    FROM grader
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
),
totals AS (
    SELECT
        count(*)                                                AS attempts,
        count(*) FILTER (WHERE attempt_type = 'run')            AS runs,
        count(*) FILTER (WHERE attempt_type = 'submit')         AS submits,
        count(*) FILTER (WHERE attempt_type = 'submit' AND is_correct)     AS successful_submits,
        count(*) FILTER (WHERE attempt_type = 'submit' AND NOT is_correct) AS wrong_submits,
        count(DISTINCT user_id)                                 AS unique_users,
        count(DISTINCT user_id) FILTER (WHERE attempt_type = 'submit')     AS submitting_users
    FROM attempts
)
SELECT line.place, line.metric, line.label, line.value
FROM totals,
LATERAL (VALUES
    (1, 'submits', 'Количество попыток (submit)', totals.submits::numeric),
    (2, 'successful_submits', 'Количество успешных попыток (submit)', totals.successful_submits),
    (3, 'unique_users', 'Количество уникальных юзеров', totals.unique_users),
    (4, 'attempts', 'Количество попыток (run и submit)', totals.attempts),
    (5, 'runs', 'Количество запусков (run)', totals.runs),
    (6, 'wrong_submits', 'Количество неуспешных попыток (submit)', totals.wrong_submits),
    (7, 'success_share', 'Доля успешных среди попыток (submit), %%',
        round(100.0 * totals.successful_submits / nullif(totals.submits, 0), 1)),
    (8, 'submitting_users', 'Количество юзеров, сделавших submit', totals.submitting_users),
    (9, 'attempts_per_user', 'Среднее количество попыток (run и submit) на юзера',
        round(totals.attempts::numeric / nullif(totals.unique_users, 0), 1))
) AS line (place, metric, label, value)
ORDER BY line.place;
