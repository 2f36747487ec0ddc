-- The days of which a report's part is stored.
SELECT report_date
FROM report_day
WHERE report = %(report)s;
