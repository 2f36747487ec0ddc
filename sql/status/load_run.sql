-- The run that loaded a day last.
SELECT run_id FROM grader_load WHERE report_date = %(day)s;
