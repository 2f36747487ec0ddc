-- title: Показатели дня
-- description: Числа дня построчно, в том порядке, в котором их читают.
-- sheet: main
-- column label of day: Показатель
-- column value of day: Значение
-- formerly wrong_submits: Количество неуспешных попыток (submit)
-- formerly new_users: Количество новых юзеров (первая попытка за всё время)
-- formerly busiest_hour: Час с наибольшим количеством попыток (0–23)
-- formerly first_attempt: Первая попытка, часов после полуночи
-- formerly last_attempt: Последняя попытка, часов после полуночи
-- units: value by unit or text
-- plot: value by metric
-- picture: line x=report_date y=value by=label only=metric:submits,successful_submits,unique_users days=28
-- history: all
-- behind submits: day, is_submit
-- behind successful_submits: day, is_success
-- behind unique_users: day
-- behind attempts: day
-- behind runs: day, is_run
-- behind wrong_submits: day, is_submit
-- behind success_share: day, is_submit
-- behind submitting_users: day, is_submit
-- behind active_users_7: 7 days
-- behind active_users_28: 28 days
-- behind attempts_per_user: day
-- behind median_attempts_per_user: day
-- behind submits_per_user: day, is_submit
-- behind median_submits_per_user: day, is_submit
-- behind runs_per_user: day, is_run
-- behind median_runs_per_user: day, is_run
-- behind busiest_hour: day
-- behind first_attempt: day
-- behind last_attempt: day
-- behind submits_to_day_before: 2 days, is_submit
-- behind submits_to_week_before: 8 days, is_submit
-- behind successes_to_day_before: 2 days, is_success
-- behind successes_to_week_before: 8 days, is_success
-- behind users_to_day_before: 2 days
-- behind users_to_week_before: 8 days
--
-- The day in single figures, one a line: attempts, learners, shares, averages and changes. The sheet
-- and the mail show them. A submit without verdict is a wrong one, so successful and wrong submits are
-- together all. An active user has an attempt in the period named, as in Open edX Insights; unless all
-- days of the period are stored, there is no number, and the text says how many are missing. A new user
-- has no attempt on any earlier stored day. The busiest hour is the one with most attempts; several that
-- are equal are named in the text, and there is no number. Times are the school's, in minutes after
-- midnight, without seconds. Changes compare with days that were loaded, and are empty otherwise.
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
hours AS (
    SELECT hour, rank() OVER (ORDER BY sum(attempts) DESC) AS place
    FROM learner_hour
    GROUP BY hour
    HAVING sum(attempts) > 0
),
busiest AS (
    SELECT
        CASE WHEN count(*) = 1 THEN min(hour) END AS hour,
        CASE WHEN count(*) <= 4
            THEN string_agg(
                to_char(make_time(hour, 0, 0), 'HH24:MI–')
                || to_char(make_time((hour + 1) %% 24, 0, 0), 'HH24:MI'),
                ', ' ORDER BY hour
            )
            ELSE format('поровну, часов: %%s', count(*))
        END                                       AS text
    FROM hours
    WHERE place = 1
),
clock AS (
    SELECT
        extract(hour FROM first) * 60 + extract(minute FROM first) AS first,
        extract(hour FROM last) * 60 + extract(minute FROM last)   AS last
    FROM (
        SELECT
            first_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s AS first,
            last_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s  AS last
        FROM totals
    ) AS school_time
),
stored AS (
    SELECT
        missing_days(%(report_date)s, 7)  AS missing_7,
        missing_days(%(report_date)s, 28) AS missing_28
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
SELECT line.place, line.metric, line.label, line.value, line.unit, line.text
FROM totals
CROSS JOIN per_user
CROSS JOIN new_users
CROSS JOIN active
CROSS JOIN busiest
CROSS JOIN clock
CROSS JOIN stored
LEFT JOIN earlier AS day_before ON day_before.report_date = %(report_date)s::date - 1
LEFT JOIN earlier AS week_before ON week_before.report_date = %(report_date)s::date - 7
CROSS JOIN LATERAL (
    -- A line's place is its place in this list.
    SELECT row_number() OVER ()::smallint AS place, metric, unit, label, value, text
    FROM (VALUES
        ('submits', 'count', 'Количество попыток (submit)', totals.submits::numeric, NULL),
        ('successful_submits', 'count', 'Количество успешных попыток (submit)',
            totals.successes, NULL),
        ('unique_users', 'count', 'Количество уникальных юзеров', per_user.users, NULL),
        ('attempts', 'count', 'Количество попыток (run и submit)',
            totals.runs + totals.submits, NULL),
        ('runs', 'count', 'Количество запусков (run)', totals.runs, NULL),
        ('wrong_submits', 'count', 'Количество неуспешных попыток (submit), включая без вердикта',
            totals.wrong_submits, NULL),
        ('success_share', 'percent', 'Доля успешных, %% от попыток (submit)',
            round(100.0 * totals.successes / nullif(totals.submits, 0), 1), NULL),
        ('submitting_users', 'count', 'Количество юзеров, сделавших submit', submitting, NULL),
        ('new_users', 'count', 'Количество новых юзеров (первая попытка с первого загруженного дня)',
            new_users.users, NULL),
        ('active_users_7', 'count', 'Количество активных юзеров за 7 дней',
            CASE WHEN missing_7 IS NULL THEN users_7 END, missing_7),
        ('active_users_28', 'count', 'Количество активных юзеров за 28 дней',
            CASE WHEN missing_28 IS NULL THEN users_28 END, missing_28),
        ('attempts_per_user', 'number', 'Попыток (run и submit) на юзера, в среднем',
            round(per_user.attempts, 1), NULL),
        ('median_attempts_per_user', 'number', 'Попыток (run и submit) на юзера, медиана',
            round(median_attempts::numeric, 1), NULL),
        ('submits_per_user', 'number', 'Попыток (submit) на юзера, сделавшего submit, в среднем',
            round(per_user.submits, 1), NULL),
        ('median_submits_per_user', 'number', 'Попыток (submit) на юзера, сделавшего submit, медиана',
            round(median_submits::numeric, 1), NULL),
        ('runs_per_user', 'number', 'Запусков (run) на юзера, сделавшего run, в среднем',
            round(per_user.runs, 1), NULL),
        ('median_runs_per_user', 'number', 'Запусков (run) на юзера, сделавшего run, медиана',
            round(median_runs::numeric, 1), NULL),
        ('busiest_hour', 'hour', 'Час с наибольшим количеством попыток', busiest.hour, busiest.text),
        ('first_attempt', 'clock', 'Первая попытка, время', clock.first, NULL),
        ('last_attempt', 'clock', 'Последняя попытка, время', clock.last, NULL),
        ('submits_to_day_before', 'change', 'Изменение попыток (submit), %% от предыдущего дня',
            round(100.0 * (totals.submits - day_before.submits)
                / nullif(day_before.submits, 0), 1), NULL),
        ('submits_to_week_before', 'change', 'Изменение попыток (submit), %% от того же дня недели',
            round(100.0 * (totals.submits - week_before.submits)
                / nullif(week_before.submits, 0), 1), NULL),
        ('successes_to_day_before', 'change', 'Изменение успешных попыток, %% от предыдущего дня',
            round(100.0 * (totals.successes - day_before.successes)
                / nullif(day_before.successes, 0), 1), NULL),
        ('successes_to_week_before', 'change', 'Изменение успешных попыток, %% от того же дня недели',
            round(100.0 * (totals.successes - week_before.successes)
                / nullif(week_before.successes, 0), 1), NULL),
        ('users_to_day_before', 'change', 'Изменение уникальных юзеров, %% от предыдущего дня',
            round(100.0 * (per_user.users - day_before.users)
                / nullif(day_before.users, 0), 1), NULL),
        ('users_to_week_before', 'change', 'Изменение уникальных юзеров, %% от того же дня недели',
            round(100.0 * (per_user.users - week_before.users)
                / nullif(week_before.users, 0), 1), NULL)
    ) AS listed (metric, unit, label, value, text)
) AS line
