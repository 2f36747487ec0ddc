-- Failures of the day that are about to be seen again or not, and of reports that are no more.
DELETE FROM report_failure
WHERE report_date = %(day)s
  AND (report = ANY (%(now)s::text[]) OR report <> ALL (%(all)s::text[]));
