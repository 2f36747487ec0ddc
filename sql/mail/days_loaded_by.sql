-- Those of these days that one of these runs was the last to load.
SELECT report_date
FROM grader_load
WHERE report_date = ANY (%(days)s::date[]) AND run_id = ANY (%(runs)s::text[]);
