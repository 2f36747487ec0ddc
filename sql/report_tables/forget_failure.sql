DELETE FROM report_failure
WHERE report_date = %(day)s
  AND report = %(report)s;
