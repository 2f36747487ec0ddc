-- What was mailed of the courses of these days.
SELECT report_date, course, figure, value
FROM mailed_course
WHERE report_date = ANY (%(days)s::date[]);
