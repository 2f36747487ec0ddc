-- The staged attempts that are not stored yet, in the order of their times.
INSERT INTO grader (
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
)
SELECT
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
FROM staged_attempts AS staged
WHERE NOT EXISTS (SELECT FROM staged_twins AS twin WHERE twin.position = staged.position)
ORDER BY created_at
ON CONFLICT (user_id, created_at) DO NOTHING;
