-- title: Юзеры, которым нужна помощь
-- description: Кто застрял, кому трудно, кто перестаёт заниматься, кто не отправляет решений.
-- sheet: no
-- history: all
-- behind submits_7: 7 days
-- behind solved_7: 7 days
-- behind submits_per_solved: 7 days
-- behind is_struggling: 7 days of course
-- behind is_disengaging: 14 days
-- behind is_run_only: 28 days
--
-- The learners who need help, with their states. It names learners, so it stays in the database. The
-- report attention counts them by course. The rules are in the function prepare_reports, which makes
-- the table learner_state. is_disengaging is NULL unless the last 14 days are stored: sql/schema/262_tables_of_a_day.sql.
SELECT *
FROM learner_state
WHERE is_stuck OR is_struggling OR is_disengaging OR is_run_only
