-- A day of attempts, evenly spread: history to load beside. Each learner comes every day, tries two
-- tasks ten times each, and moves on to the next two after two days.
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
        number / 20      AS learner,
        (%(day_start)s::date - '2000-01-01'::date) / 2 AS step,
        number %% 5 >= 3 AS is_submit
) AS drawn,
LATERAL (
    SELECT (learner * 7 + step * 2 + number / 10 %% 2) %% 400 AS task
) AS chosen,
LATERAL (
    SELECT format('course-v1:School+DST-%%s+28FEB2021', task %% 12) AS course
) AS placed;
