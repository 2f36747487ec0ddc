-- The day's failures of reports that are computed now, and of reports that no longer exist.
DELETE FROM report_failure
WHERE report_date = %(day)s
  AND (report = ANY (%(now)s::text[]) OR report <> ALL (%(all)s::text[]));
