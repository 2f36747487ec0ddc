SELECT report_date
FROM changed_day
WHERE report_date < %(today)s
ORDER BY report_date;
