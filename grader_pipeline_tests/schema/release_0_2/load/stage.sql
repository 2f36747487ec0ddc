-- The day's attempts and quarantine, as COPY brings them. Gone with the transaction.
--
-- {columns} in the statements of this folder: the columns of an attempt, as
-- grader_pipeline/attempts/columns.py defines them. Types are those of the table.
CREATE TEMPORARY TABLE staged_attempts ON COMMIT DROP AS
SELECT NULL::integer AS position, {columns}
FROM grader
WITH NO DATA;

CREATE TEMPORARY TABLE staged_rejected (
    position integer PRIMARY KEY,
    reasons  text[],
    row      text
) ON COMMIT DROP;
