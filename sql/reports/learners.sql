-- title: Юзеры, которым нужна помощь
-- description: Кто застрял, кому трудно, кто перестаёт заниматься, кто не отправляет решений.
-- sheet: no
-- history: all
--
-- The learners who need help, with their states. It names learners, so it stays in the database. The
-- report attention counts them by course. The function learner_states in sql/schema has the rules.
SELECT *
FROM learner_states(%(report_date)s)
WHERE is_stuck OR is_struggling OR is_disengaging OR is_run_only
