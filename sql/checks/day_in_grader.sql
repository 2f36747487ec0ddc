-- The day's main metrics counted in grader itself: the rollups take no part in it.
SELECT
    coalesce(sum(submits), 0)::bigint   AS submits,
    coalesce(sum(successes), 0)::bigint AS successful_submits,
    count(*)                            AS unique_users
FROM (
    SELECT
        count(*) FILTER (WHERE attempt_type = 'submit')                AS submits,
        count(*) FILTER (WHERE attempt_type = 'submit' AND is_correct) AS successes
    FROM grader
    WHERE created_at >= %(day_start)s
      AND created_at < %(day_end)s
    GROUP BY user_id
) AS learners;
