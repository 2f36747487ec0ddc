-- One row if the day's part of a report is stored.
SELECT
FROM report_day
WHERE report = %(report)s AND report_date = %(day)s;
