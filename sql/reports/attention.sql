-- title: Кому нужна помощь
-- description: Сколько юзеров курса застряли, испытывают трудности, перестают заниматься, не отправляют решений.
-- sheet: 28 days
-- tab: 40
-- dimension course in state: Курс
-- dimension state: Состояние
-- learners learners listed in few_learners: Юзеров
-- learners active_learners: Активных юзеров курса за 28 дней
-- column share of active_learners: Доля, % от активных юзеров курса за 28 дней
-- column reason of day: Почему нет числа
-- unit share: percent
-- unusual share: above 30
-- picture: bar x=course y=learners by=state
-- history: all
-- behind active_learners: 28 days
--
-- For each course, how many learners need help: a line for each of four states. A learner can be in
-- several states. The share is that of the course's active learners, who have an attempt in the 28
-- days up to the day. Disengaging compares two weeks: unless their 14 days are stored, nobody can be
-- counted, and the line has the reason. The rules, with their sources, are in the function
-- prepare_reports, which makes the table learner_state: sql/schema/262_tables_of_a_day.sql.
WITH stored AS (
    SELECT missing_days(%(report_date)s, 14) AS missing
),
courses AS (
    SELECT
        course,
        count(*)                               AS active_learners,
        count(*) FILTER (WHERE is_stuck)       AS stuck,
        count(*) FILTER (WHERE is_struggling)  AS struggling,
        -- All of a day are NULL, or none is.
        CASE WHEN count(is_disengaging) > 0 THEN count(*) FILTER (WHERE is_disengaging) END AS disengaging,
        count(*) FILTER (WHERE is_run_only)    AS run_only,
        few(array_agg(learner.id) FILTER (WHERE is_stuck))       AS few_stuck,
        few(array_agg(learner.id) FILTER (WHERE is_struggling))  AS few_struggling,
        few(array_agg(learner.id) FILTER (WHERE is_disengaging)) AS few_disengaging,
        few(array_agg(learner.id) FILTER (WHERE is_run_only))    AS few_run_only
    FROM learner_state
    JOIN learner USING (user_id)
    GROUP BY course
)
SELECT
    course, place, state, state.learners, active_learners,
    round(100.0 * state.learners / active_learners, 1) AS share,
    few_learners, reason
FROM courses
CROSS JOIN stored
CROSS JOIN LATERAL (
    -- A state's place is its place in this list.
    SELECT row_number() OVER ()::integer AS place, state, learners, few_learners, reason
    FROM (VALUES
        ('застряли (5 и более неуспешных submit нерешённого задания за всё время)', stuck, few_stuck,
            NULL),
        ('испытывают трудности (за 7 дней не меньше 5 submit и больше всех submit на решённое задание)',
            struggling, few_struggling, NULL),
        ('перестают заниматься (на прошлой неделе пробовали, на этой нет)', disengaging,
            few_disengaging, missing),
        ('только запускают код (run без submit)', run_only, few_run_only, NULL)
    ) AS listed (state, learners, few_learners, reason)
) AS state
