-- The day's attempts, as COPY brings them. Gone with the transaction.
--
-- {columns} in the statements of this folder: the columns of an attempt, as
-- grader_pipeline/attempts/columns.py defines them. Types are those of the table.
CREATE TEMPORARY TABLE staged_attempts ON COMMIT DROP AS
SELECT NULL::integer AS position, {columns}
FROM grader
WITH NO DATA;
