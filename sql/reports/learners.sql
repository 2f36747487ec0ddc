-- title: Юзеры, которым нужна помощь
-- description: Кто застрял, кому трудно, кто перестаёт заниматься, кто не отправляет решений.
-- sheet: no
-- history: all
--
-- The learners who need help, with their states. It names learners, so it stays in the database. The
-- report attention counts them by course. The rules are in the function prepare_reports, which makes
-- the table learner_state. is_disengaging is NULL unless the last 14 days are stored: sql/schema/180_what_figures_mean.sql.
SELECT *
FROM learner_state
WHERE is_stuck OR is_struggling OR is_disengaging OR is_run_only
