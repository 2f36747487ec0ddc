-- title: Часы
-- description: Попытки по часам школьного дня.
-- sheet: 1 day
-- tab: 50
-- dimension hour: Час
-- learners learners listed in few_learners: Юзеров с попытками
-- sum attempts of learners: Попыток (run и submit)
-- sum submits of learners: Попыток (submit)
-- sum successes of learners: Успешных попыток (submit)
-- column success_share of submitting_learners: Доля успешных, % от попыток (submit)
-- learners submitting_learners of learners: Юзеров, сделавших submit
-- unit hour: hour
-- unit success_share: percent
-- chart: bar x=hour y=attempts,submits,successes
-- picture: heat x=hour y=attempts by=report_date days=28
-- behind submits: day, is_submit
-- behind successes: day, is_success
-- behind success_share: day, is_submit
-- behind submitting_learners: day, is_submit
--
-- Attempts and learners in each hour of the school's clock. In the database every day has all 24 hours,
-- empty ones too. What is shown has fewer if an hour has one to four learners: such hours, the empty
-- ones, and larger ones until they have five together are one line, after the others. So an hour that
-- worksheet, chart and page do not show is in that line. Where the clock is changed, an hour of the day
-- can have 0 or 120 minutes.
SELECT
    hour,
    count(user_id)                                               AS learners,
    coalesce(sum(attempts), 0)::bigint                           AS attempts,
    coalesce(sum(submits), 0)::bigint                            AS submits,
    coalesce(sum(successes), 0)::bigint                          AS successes,
    count(*) FILTER (WHERE submits > 0)                          AS submitting_learners,
    round(100.0 * sum(successes) / nullif(sum(submits), 0), 1)   AS success_share,
    CASE WHEN count(user_id) BETWEEN 1 AND 4 THEN few(ARRAY(
        SELECT learner.id
        FROM learner_hour AS of_hour
        LEFT JOIN learner USING (user_id)
        WHERE of_hour.hour = hours.hour
    )) END                                                       AS few_learners
FROM generate_series(0, 23) AS hours (hour)
LEFT JOIN learner_hour USING (hour)
GROUP BY hour
