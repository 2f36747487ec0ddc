-- Quarantine of the day as the response gives it now; what stands there already is left alone.
INSERT INTO grader_rejected AS stored (report_date, position, reasons, row)
SELECT %(day)s, position, reasons, row
FROM staged_rejected
ON CONFLICT (report_date, position) DO UPDATE
SET reasons = excluded.reasons,
    row     = excluded.row
WHERE (stored.reasons, stored.row) IS DISTINCT FROM (excluded.reasons, excluded.row);
