-- A figure of a course is mailed.
INSERT INTO mailed_course (report_date, course, figure, value)
VALUES (%(report_date)s, %(course)s, %(figure)s, %(value)s)
ON CONFLICT (report_date, course, figure) DO UPDATE SET value = excluded.value;
