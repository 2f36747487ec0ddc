-- A day of attempts, evenly spread: history to load beside. Each learner comes every day, tries two
-- tasks ten times each, and moves on to the next two after two days. A course has 160 tasks, as in
-- the sample school; whoever is through with it leaves, and somebody else begins.
INSERT INTO grader (
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
)
SELECT
    learner,
    '',
    format('%%s:lms.example.org-%%s:%%s', course, task, learner),
    format(
        'https://lms.example.org/courses/%%s/xblock/%%s/handler_noauth/grade_handler',
        course, task
    ),
    CASE WHEN is_submit THEN number %% 3 = 0 END,
    CASE WHEN is_submit THEN 'submit' ELSE 'run' END,
    %(day_start)s::timestamp + number * (interval '1 day' / %(rows)s)
FROM generate_series(0, %(rows)s - 1) AS number,
LATERAL (
    SELECT
        number / 20      AS place,
        number / 20 / 12 + (%(day_start)s::date - '2000-01-01'::date) / 2 AS step,
        number %% 5 >= 3 AS is_submit
) AS drawn,
LATERAL (
    SELECT
        md5(place || '-' || step / 80)                         AS learner,
        format('course-v1:School+DST-%%s+28FEB2021', place %% 12) AS course,
        md5(place %% 12 || '-' || (step %% 80 * 2 + number / 10 %% 2)) AS task
) AS chosen;
