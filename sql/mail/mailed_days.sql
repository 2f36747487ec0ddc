-- What the last mails said about some days.
SELECT report_date, is_reported, is_failed
FROM mailed_day
WHERE report_date = ANY (%(days)s::date[]);
