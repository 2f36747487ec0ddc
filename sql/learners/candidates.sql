-- Attempts that may be the learner's: %(part)s is a part of the id that each spelling of it has.
SELECT
    id, user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url,
    (created_at AT TIME ZONE 'UTC' AT TIME ZONE %(timezone)s)::date AS report_date
FROM grader
WHERE strpos(
    concat_ws(' ', user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url),
    %(part)s
) > 0;
