-- The staged attempts that are not stored yet, in the order of the response, oldest first. The
-- question is put so that it is asked of row after row: joined, they would have to be sorted again.
INSERT INTO grader (
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
)
SELECT
    user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url, is_correct,
    attempt_type, created_at
FROM staged_attempts AS staged
WHERE (EXISTS (SELECT FROM staged_twins AS twin WHERE twin.position = staged.position)) IS FALSE
ON CONFLICT (user_id, created_at) DO NOTHING;
