-- The staged attempts that are not stored yet, in the order of the answer, oldest first. The
-- condition makes PostgreSQL look up each row: a join would have to sort them again.
--
-- {columns}: the columns of an attempt.
INSERT INTO grader ({columns})
SELECT {columns}
FROM staged_attempts AS staged
WHERE (EXISTS (SELECT FROM staged_twins AS twin WHERE twin.position = staged.position)) IS FALSE
ON CONFLICT (user_id, created_at) DO NOTHING;
