-- title: Юзеры, которым нужна помощь
-- description: Кто застрял, кому трудно, кто перестаёт заниматься, кто не отправляет решений.
-- sheet: no
-- history: all
--
-- Stays in the database: it names learners. The states are told in
-- sql/schema/070_learner_states.sql; their counts by course are the report "attention".
SELECT *
FROM learner_states(%(report_date)s)
WHERE is_stuck OR is_struggling OR is_disengaging OR is_run_only
