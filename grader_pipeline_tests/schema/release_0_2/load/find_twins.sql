-- Which staged attempts are stored already, and whether the stored twin differs.
--
-- {stored_other_columns}, {staged_other_columns}: the columns of an attempt beside its key, of either table.
CREATE TEMPORARY TABLE staged_twins ON COMMIT DROP AS
SELECT
    staged.position,
    stored.id,
    ROW ({stored_other_columns}) IS DISTINCT FROM ROW ({staged_other_columns}) AS differs
FROM staged_attempts AS staged
JOIN grader AS stored USING (created_at, user_id)
WHERE stored.created_at >= %(day_start)s
  AND stored.created_at < %(day_end)s;
