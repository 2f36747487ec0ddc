INSERT INTO sheet_request (report_date) VALUES (%(day)s) RETURNING id;
