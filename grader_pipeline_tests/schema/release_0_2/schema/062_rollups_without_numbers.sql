-- Before learners and tasks had numbers, these two were tables that named them in every line. What
-- they hold is taken over.
DO $$
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass('learner_task_day')) = 'r' THEN
        INSERT INTO learner (user_id)
        SELECT DISTINCT user_id FROM learner_task;

        INSERT INTO task (course, task)
        SELECT DISTINCT course, task FROM learner_task;

        INSERT INTO engagement (
            id, learner, task, first_attempt_date, first_submit_date, first_success_date,
            runs_before_first_submit, submits_until_success, time_until_success,
            first_submit_correct
        )
        SELECT
            nextval('engagement_id'), learner.id, task.id, first_attempt_date, first_submit_date,
            first_success_date, runs_before_first_submit, submits_until_success,
            time_until_success, first_submit_correct
        FROM (SELECT * FROM learner_task ORDER BY first_attempt_date) AS met
        JOIN learner USING (user_id)
        JOIN task USING (course, task);

        INSERT INTO engagement_day (
            report_date, engagement, learner, task, runs, submits, successes, wrong_submits,
            without_outcome_url, runs_before_first_submit, submits_until_success,
            first_submit_correct, first_at, last_at, first_run_at, first_submit_at,
            first_success_at, last_clock, first_run_clock, first_success_clock
        )
        SELECT
            report_date, engagement.id, learner.id, task.id, runs, submits, successes,
            wrong_submits, without_outcome_url, day.runs_before_first_submit,
            day.submits_until_success, day.first_submit_correct, first_at, last_at, first_run_at,
            first_submit_at, first_success_at, last_clock, first_run_clock, first_success_clock
        FROM (SELECT * FROM learner_task_day ORDER BY report_date) AS day
        JOIN learner USING (user_id)
        JOIN task USING (course, task)
        JOIN engagement ON (engagement.learner, engagement.task) = (learner.id, task.id);

        DROP TABLE learner_task, learner_task_day;
    END IF;
END
$$;
