-- title: Кому нужна помощь
-- description: Сколько юзеров курса застряли, испытывают трудности, перестают заниматься, не отправляют решений.
-- sheet: 28 days
-- column course: Курс
-- column state: Состояние
-- column learners: Юзеров
-- column active_learners: Активных юзеров курса за 28 дней
-- column share: Доля, % от активных юзеров курса за 28 дней
-- picture: bar x=course y=learners by=state
-- history: all
--
-- The states are told in sql/schema/070_learner_states.sql.
WITH learners AS (
    SELECT * FROM learner_states(%(report_date)s)
),
courses AS (
    SELECT
        course,
        count(*)                               AS active_learners,
        count(*) FILTER (WHERE is_stuck)       AS stuck,
        count(*) FILTER (WHERE is_struggling)  AS struggling,
        count(*) FILTER (WHERE is_disengaging) AS disengaging,
        count(*) FILTER (WHERE is_run_only)    AS run_only
    FROM learners
    GROUP BY course
)
SELECT
    course, place, state, state.learners, active_learners,
    round(100.0 * state.learners / active_learners, 1) AS share
FROM courses
CROSS JOIN LATERAL (VALUES
    (1, 'застряли (5 и более неуспешных submit нерешённого задания)', stuck),
    (2, 'испытывают трудности (больше всех submit на решённое задание за 7 дней)', struggling),
    (3, 'перестают заниматься (на прошлой неделе пробовали, на этой нет)', disengaging),
    (4, 'только запускают код (run без submit)', run_only)
) AS state (place, state, learners)
