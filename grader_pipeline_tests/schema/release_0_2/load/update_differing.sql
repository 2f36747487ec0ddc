-- Gives stored attempts that differ the API's newer values.
--
-- {other_columns}, {staged_other_columns}: the columns of an attempt beside its key.
UPDATE grader AS stored
SET ({other_columns}) = ROW ({staged_other_columns})
FROM staged_twins AS twin
JOIN staged_attempts AS staged USING (position)
WHERE stored.id = twin.id
  AND twin.differs;
