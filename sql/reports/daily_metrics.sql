-- title: Показатели дня
-- description: Числа дня построчно, в том порядке, в котором их читают.
-- sheet: main
-- column label of day: Показатель
-- column value of day: Значение
-- plot: value by metric
-- picture: line x=report_date y=value by=label only=metric:submits,successful_submits,unique_users days=28
-- history: all
--
-- The day in single figures, one a line: attempts, learners, shares, averages and changes. The sheet
-- and the mail show them. An active user has an attempt in the period named, as in Open edX
-- Insights. A new user has no attempt on any earlier day. Changes compare with days that were loaded,
-- and are empty otherwise.
WITH learner_tasks AS (
    SELECT * FROM engagement_day WHERE report_date = %(report_date)s
),
totals AS (
    SELECT
        coalesce(sum(runs), 0)          AS runs,
        coalesce(sum(submits), 0)       AS submits,
        coalesce(sum(successes), 0)     AS successes,
        coalesce(sum(wrong_submits), 0) AS wrong_submits,
        min(first_at)                   AS first_at,
        max(last_at)                    AS last_at
    FROM learner_tasks
),
users AS (
    SELECT learner, sum(runs + submits) AS attempts, sum(runs) AS runs, sum(submits) AS submits
    FROM learner_tasks
    GROUP BY learner
),
per_user AS (
    SELECT
        count(*)                               AS users,
        count(*) FILTER (WHERE submits > 0)    AS submitting,
        avg(attempts)                          AS attempts,
        avg(submits) FILTER (WHERE submits > 0) AS submits,
        avg(runs) FILTER (WHERE runs > 0)      AS runs,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY attempts) AS median_attempts,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY submits)
            FILTER (WHERE submits > 0)         AS median_submits,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY runs)
            FILTER (WHERE runs > 0)            AS median_runs
    FROM users
),
recent_users AS MATERIALIZED (
    SELECT learner, min(first_attempt_date) AS first_date, max(last_date) AS last_date
    FROM recent_engagement
    GROUP BY learner
),
new_users AS (
    SELECT count(*) AS users
    FROM recent_users AS users
    WHERE first_date = %(report_date)s
      AND NOT EXISTS (
          SELECT
          FROM engagement AS earlier
          WHERE earlier.learner = users.learner
            AND earlier.first_attempt_date < %(report_date)s
      )
),
active AS (
    SELECT
        count(*) FILTER (WHERE last_date > %(report_date)s::date - 7) AS users_7,
        count(*)                                                      AS users_28
    FROM recent_users
),
busiest AS (
    SELECT extract(hour FROM created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s) AS hour
    FROM attempt
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
    GROUP BY hour
    ORDER BY count(*) DESC, hour
    LIMIT 1
),
clock AS (
    SELECT
        extract(epoch FROM (first_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::time) AS first,
        extract(epoch FROM (last_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::time)  AS last
    FROM totals
),
-- Days that were not loaded are no zeros. A loaded day without attempts is.
earlier AS (
    SELECT
        loaded.report_date,
        coalesce(sum(submits), 0)      AS submits,
        coalesce(sum(successes), 0)    AS successes,
        count(DISTINCT learner)        AS users
    FROM rollup_day AS loaded
    LEFT JOIN engagement_day USING (report_date)
    WHERE loaded.report_date IN (%(report_date)s::date - 1, %(report_date)s::date - 7)
    GROUP BY loaded.report_date
)
SELECT line.place, line.metric, line.label, line.value
FROM totals
CROSS JOIN per_user
CROSS JOIN new_users
CROSS JOIN active
CROSS JOIN clock
LEFT JOIN earlier AS day_before ON day_before.report_date = %(report_date)s::date - 1
LEFT JOIN earlier AS week_before ON week_before.report_date = %(report_date)s::date - 7
CROSS JOIN LATERAL (
    -- A line's place is its place in this list.
    SELECT row_number() OVER ()::smallint AS place, metric, label, value
    FROM (VALUES
        ('submits', 'Количество попыток (submit)', totals.submits::numeric),
        ('successful_submits', 'Количество успешных попыток (submit)', totals.successes),
        ('unique_users', 'Количество уникальных юзеров', per_user.users),
        ('attempts', 'Количество попыток (run и submit)', totals.runs + totals.submits),
        ('runs', 'Количество запусков (run)', totals.runs),
        ('wrong_submits', 'Количество неуспешных попыток (submit)', totals.wrong_submits),
        ('success_share', 'Доля успешных, %% от попыток (submit)',
            round(100.0 * totals.successes / nullif(totals.submits, 0), 1)),
        ('submitting_users', 'Количество юзеров, сделавших submit', submitting),
        ('new_users', 'Количество новых юзеров (первая попытка за всё время)', new_users.users),
        ('active_users_7', 'Количество активных юзеров за 7 дней', users_7),
        ('active_users_28', 'Количество активных юзеров за 28 дней', users_28),
        ('attempts_per_user', 'Попыток (run и submit) на юзера, в среднем',
            round(per_user.attempts, 1)),
        ('median_attempts_per_user', 'Попыток (run и submit) на юзера, медиана',
            round(median_attempts::numeric, 1)),
        ('submits_per_user', 'Попыток (submit) на юзера, сделавшего submit, в среднем',
            round(per_user.submits, 1)),
        ('median_submits_per_user', 'Попыток (submit) на юзера, сделавшего submit, медиана',
            round(median_submits::numeric, 1)),
        ('runs_per_user', 'Запусков (run) на юзера, сделавшего run, в среднем',
            round(per_user.runs, 1)),
        ('median_runs_per_user', 'Запусков (run) на юзера, сделавшего run, медиана',
            round(median_runs::numeric, 1)),
        ('busiest_hour', 'Час с наибольшим количеством попыток (0–23)',
            (SELECT hour FROM busiest)),
        ('first_attempt_hour', 'Первая попытка, часов после полуночи',
            round(clock.first / 3600, 2)),
        ('last_attempt_hour', 'Последняя попытка, часов после полуночи',
            round(clock.last / 3600, 2)),
        ('submits_to_day_before', 'Изменение попыток (submit), %% от предыдущего дня',
            round(100.0 * (totals.submits - day_before.submits) / nullif(day_before.submits, 0), 1)),
        ('submits_to_week_before', 'Изменение попыток (submit), %% от того же дня недели',
            round(100.0 * (totals.submits - week_before.submits) / nullif(week_before.submits, 0), 1)),
        ('successes_to_day_before', 'Изменение успешных попыток, %% от предыдущего дня',
            round(100.0 * (totals.successes - day_before.successes)
                / nullif(day_before.successes, 0), 1)),
        ('successes_to_week_before', 'Изменение успешных попыток, %% от того же дня недели',
            round(100.0 * (totals.successes - week_before.successes)
                / nullif(week_before.successes, 0), 1)),
        ('users_to_day_before', 'Изменение уникальных юзеров, %% от предыдущего дня',
            round(100.0 * (per_user.users - day_before.users) / nullif(day_before.users, 0), 1)),
        ('users_to_week_before', 'Изменение уникальных юзеров, %% от того же дня недели',
            round(100.0 * (per_user.users - week_before.users) / nullif(week_before.users, 0), 1))
    ) AS listed (metric, label, value)
) AS line
