-- Which staged attempts were stored already, and whether the stored twin differs. It runs after
-- insert_new.sql and leaves out what that inserted, the rows of this transaction: so an attempt that
-- somebody else stored in the meantime is found too.
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
  AND stored.created_at < %(day_end)s
  AND stored.xmin <> pg_current_xact_id()::xid;
