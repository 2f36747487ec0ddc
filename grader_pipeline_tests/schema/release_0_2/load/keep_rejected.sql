-- The day's quarantine as the answer has it now. Rows that are the same already are not written and
-- not locked: a lock is written to disk too.
INSERT INTO grader_rejected (report_date, position, reasons, row)
SELECT %(day)s, staged.position, staged.reasons, staged.row
FROM staged_rejected AS staged
WHERE NOT EXISTS (
    SELECT
    FROM grader_rejected AS kept
    WHERE kept.report_date = %(day)s
      AND kept.position = staged.position
      AND (kept.reasons, kept.row) IS NOT DISTINCT FROM (staged.reasons, staged.row)
)
ON CONFLICT (report_date, position) DO UPDATE
SET reasons = excluded.reasons,
    row     = excluded.row;
