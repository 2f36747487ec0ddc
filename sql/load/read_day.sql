-- The stored attempts of the day, for the rollup. It needs of the outcome URL only whether there is
-- one. Times are written the same whatever DateStyle the role has.
COPY (
    SELECT
        user_id, lis_result_sourcedid, CASE WHEN lis_outcome_service_url IS NOT NULL THEN '' END,
        is_correct, attempt_type, to_char(created_at, 'YYYY-MM-DD HH24:MI:SS.US')
    FROM grader
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
) TO STDOUT (FORMAT csv);
