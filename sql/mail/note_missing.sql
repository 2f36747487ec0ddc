-- Mails said that these days have no report: to colleagues if is_reported is false, and to the owners
-- that they failed if is_failed is true.
INSERT INTO mailed_day (report_date, is_reported, is_failed)
SELECT report_date, %(is_reported)s::boolean, %(is_failed)s::boolean
FROM unnest(%(days)s::date[]) AS report_date
ON CONFLICT (report_date) DO UPDATE
SET is_reported = coalesce(excluded.is_reported, mailed_day.is_reported),
    is_failed = mailed_day.is_failed OR excluded.is_failed;
