-- The staged attempts that are not stored yet, in the order of the answer, oldest first. The
-- condition makes PostgreSQL look up each row: a join would have to sort them again. It also saves
-- the ids that ON CONFLICT would use up. What somebody else stores meanwhile, ON CONFLICT leaves.
--
-- {columns}: the columns of an attempt.
INSERT INTO grader ({columns})
SELECT {columns}
FROM staged_attempts AS staged
WHERE (EXISTS (
    SELECT
    FROM grader AS stored
    WHERE (stored.created_at, stored.user_id) = (staged.created_at, staged.user_id)
)) IS FALSE
ON CONFLICT (user_id, created_at) DO NOTHING;
