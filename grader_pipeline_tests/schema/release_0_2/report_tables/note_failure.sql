INSERT INTO report_failure (report_date, report, message)
VALUES (%(day)s, %(report)s, %(message)s)
ON CONFLICT (report_date, report) DO UPDATE SET message = excluded.message;
