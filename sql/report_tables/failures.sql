-- The reports that could not be computed, of a period. Those that no longer exist are left out.
SELECT report_date, report, message
FROM report_failure
WHERE report_date BETWEEN %(first)s AND %(last)s
  AND report = ANY (%(reports)s)
ORDER BY report_date, report;
