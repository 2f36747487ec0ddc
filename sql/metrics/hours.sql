-- title: Часы
-- description: Попытки по часам школьного дня.
-- sheet: 1 day
-- column hour: Час
-- column learners: Юзеров с попытками
-- column attempts: Попыток (run и submit)
-- column submits: Попыток (submit)
-- column successes: Успешных попыток (submit)
-- column success_share of submitting_learners: Доля успешных, % от попыток (submit)
-- column submitting_learners: Юзеров, сделавших submit
-- chart: bar x=hour y=attempts,submits,successes
-- picture: heat x=hour y=attempts by=report_date days=28
--
-- The hour is that of the school's clock, so that all 24 are there on every day.
WITH attempts AS (
    SELECT
        extract(hour FROM created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::integer AS hour,
        user_id, is_submit, is_success
    FROM attempt
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
)
SELECT
    hour,
    count(DISTINCT user_id)                            AS learners,
    count(user_id)                                     AS attempts,
    count(*) FILTER (WHERE is_submit)                  AS submits,
    count(*) FILTER (WHERE is_success)                 AS successes,
    count(DISTINCT user_id) FILTER (WHERE is_submit)   AS submitting_learners,
    round(
        100.0 * count(*) FILTER (WHERE is_success)
        / nullif(count(*) FILTER (WHERE is_submit), 0), 1
    )                                                  AS success_share
FROM generate_series(0, 23) AS hour
LEFT JOIN attempts USING (hour)
GROUP BY hour
