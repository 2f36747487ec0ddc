-- Reports that could not be computed, of a period.
SELECT report_date, report, message
FROM report_failure
WHERE report_date BETWEEN %(first)s AND %(last)s
  AND report = ANY (%(reports)s)
ORDER BY report_date, report;
