-- The attempts without course and task, for reports that need neither. The view attempt looks both up
-- even if nobody asks for them: a report of hours took three times as long.
--
-- The view attempt stays as it was, and is made of this one. A moment, nothing is rewritten.
CREATE OR REPLACE VIEW attempt_without_names AS
SELECT
    user_id COLLATE "C"                                AS user_id,
    lis_result_sourcedid,
    created_at,
    lis_outcome_service_url,
    attempt_type = 'run'                               AS is_run,
    attempt_type = 'submit'                            AS is_submit,
    attempt_type = 'submit' AND is_correct IS TRUE     AS is_success,
    attempt_type = 'submit' AND is_correct IS NOT TRUE AS is_wrong,
    attempt_type = 'submit' AND is_correct IS NULL     AS is_without_verdict
FROM grader
-- PostgreSQL reads the list once for each query.
WHERE user_id <> ALL (ARRAY(SELECT excluded.user_id FROM excluded_learner AS excluded));

-- OFFSET makes PostgreSQL read each text once, not once for each column: 140_course_and_task.sql.
CREATE OR REPLACE VIEW attempt AS
SELECT
    coalesce(names[1], 'не распознан') COLLATE "C"     AS course,
    coalesce(names[2], 'не распознано') COLLATE "C"    AS task,
    user_id,
    created_at,
    lis_outcome_service_url,
    is_run,
    is_submit,
    is_success,
    is_wrong,
    is_without_verdict
FROM attempt_without_names
CROSS JOIN LATERAL (
    SELECT course_and_task(lis_result_sourcedid, user_id) AS names OFFSET 0
) AS readable;
