-- End the episodes of those of these days that the owners know as failed, and give these days.
UPDATE mailed_day
SET is_failed = false, episode = episode + 1
WHERE report_date = ANY (%(days)s::date[]) AND is_failed
RETURNING report_date;
