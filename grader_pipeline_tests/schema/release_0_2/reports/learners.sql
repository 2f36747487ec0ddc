-- title: Юзеры, которым нужна помощь
-- description: Кто застрял, кому трудно, кто перестаёт заниматься, кто не отправляет решений.
-- sheet: no
-- history: all
--
-- The learners who need help, with their states. It names learners, so it stays in the database. The
-- report attention counts them by course. The rules are in the function learner_states,
-- sql/schema/070_stuck_and_other_learner_states.sql.
SELECT *
FROM learner_states(%(report_date)s)
WHERE is_stuck OR is_struggling OR is_disengaging OR is_run_only
