-- The first day that an answer was loaded for, or no line.
SELECT report_date FROM grader_load ORDER BY report_date LIMIT 1;
