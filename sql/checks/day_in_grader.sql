-- The day's main metrics counted in grader itself, without the learners who are left out: the rollups take
-- no part in it.
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
      AND user_id <> ALL (ARRAY(SELECT excluded.user_id FROM excluded_learner AS excluded))
    GROUP BY user_id
) AS learners;
