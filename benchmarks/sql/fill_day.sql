-- A day of attempts, evenly spread, of learners and tasks that come again: history to load beside.
INSERT INTO grader (
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
)
SELECT
    md5(learner::text),
    '',
    format('%%s:lms.example.org-%%s:%%s', course, md5(task::text), md5(learner::text)),
    format(
        'https://lms.example.org/courses/%%s/xblock/%%s/handler_noauth/grade_handler',
        course, md5(task::text)
    ),
    CASE WHEN is_submit THEN number %% 3 = 0 END,
    CASE WHEN is_submit THEN 'submit' ELSE 'run' END,
    %(day_start)s::timestamp + number * (interval '1 day' / %(rows)s)
FROM generate_series(0, %(rows)s - 1) AS number,
LATERAL (
    SELECT
        number * 7919 %% (1 + %(rows)s / 20) AS learner,
        number / 5 %% 400                    AS task,
        number %% 5 >= 3                     AS is_submit
) AS drawn,
LATERAL (
    SELECT format('course-v1:School+DST-%%s+28FEB2021', task %% 12) AS course
) AS placed;
