SELECT report_date, position, row
FROM grader_rejected
WHERE strpos(row, %(part)s) > 0;
