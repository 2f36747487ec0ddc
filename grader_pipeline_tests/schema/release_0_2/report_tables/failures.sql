SELECT report, message
FROM report_failure
WHERE report_date = %(day)s
ORDER BY report;
