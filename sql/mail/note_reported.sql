-- Colleagues know that the reports of these days are ready.
INSERT INTO mailed_day (report_date, is_reported)
SELECT report_date, true
FROM unnest(%(days)s::date[]) AS report_date
ON CONFLICT (report_date) DO UPDATE SET is_reported = true;
