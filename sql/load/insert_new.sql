-- The staged attempts that are not stored yet, in the order of the answer, oldest first. Only those are
-- sorted: mostly none is new. Looking for them also saves the ids that ON CONFLICT would use up. What
-- somebody else stores meanwhile, ON CONFLICT leaves.
--
-- {columns}: the columns of an attempt.
INSERT INTO grader ({columns})
SELECT {columns}
FROM staged_attempts AS staged
WHERE NOT EXISTS (
    SELECT
    FROM grader AS stored
    WHERE (stored.created_at, stored.user_id) = (staged.created_at, staged.user_id)
      -- With the bounds the day is read once. Otherwise PostgreSQL may read the whole table.
      AND stored.created_at >= %(day_start)s
      AND stored.created_at < %(day_end)s
)
ORDER BY position
ON CONFLICT (user_id, created_at) DO NOTHING;
