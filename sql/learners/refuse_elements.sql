-- Moves elements of the day's last load to quarantine as forgotten_learner, at these positions, and in
-- the ledger to rejected. Those that are there already are left as they are: a repetition moves nothing.
--
-- An attempt is taken off loaded, and off already_there when no loaded one is left.
WITH place AS (
    SELECT unnest(%(positions)s::integer[]) AS position
),
moved AS (
    SELECT
        count(*) FILTER (WHERE kept.position IS NULL)                AS attempts,
        count(*) FILTER (WHERE kept.reasons = '{duplicate_key}')     AS duplicates
    FROM place
    LEFT JOIN grader_rejected AS kept
        ON kept.report_date = %(day)s AND kept.position = place.position
),
refused AS (
    INSERT INTO grader_rejected (report_date, position, reasons, row)
    SELECT %(day)s, position, '{forgotten_learner}', ''
    FROM place
    ON CONFLICT (report_date, position) DO UPDATE
    SET reasons = excluded.reasons,
        row     = excluded.row
    WHERE grader_rejected.reasons <> excluded.reasons
)
UPDATE grader_load AS ledger
SET loaded        = loaded - least(loaded, moved.attempts),
    already_there = already_there - (moved.attempts - least(loaded, moved.attempts)),
    duplicates    = ledger.duplicates - moved.duplicates,
    rejected      = rejected + moved.attempts + moved.duplicates
FROM moved
WHERE report_date = %(day)s
  AND moved.attempts + moved.duplicates > 0;
