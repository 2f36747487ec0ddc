-- Which staged attempts are stored already, and whether the stored row says something else.
CREATE TEMPORARY TABLE staged_twins ON COMMIT DROP AS
SELECT
    staged.position,
    stored.id,
    (
        stored.oauth_consumer_key, stored.lis_result_sourcedid, stored.lis_outcome_service_url,
        stored.is_correct, stored.attempt_type
    ) IS DISTINCT FROM (
        staged.oauth_consumer_key, staged.lis_result_sourcedid, staged.lis_outcome_service_url,
        staged.is_correct, staged.attempt_type
    ) AS differs
FROM staged_attempts AS staged
JOIN grader AS stored USING (created_at, user_id)
WHERE stored.created_at >= %(day_start)s
  AND stored.created_at < %(day_end)s;
