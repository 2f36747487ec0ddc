-- The reports that could not be computed for the day. Those that no longer exist are left out.
SELECT report, message
FROM report_failure
WHERE report_date = %(day)s
  AND report = ANY (%(reports)s)
ORDER BY report;
