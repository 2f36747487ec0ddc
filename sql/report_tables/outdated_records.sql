-- Those that another run is to write are left out, unless %(of_all_runs)s.
SELECT asset, report_date, version
FROM outdated_record
WHERE asset = ANY (%(assets)s)
  AND (report_date = %(report_date)s OR %(report_date)s::date IS NULL)
  AND (run_id IS NULL OR run_id = %(run_id)s OR %(of_all_runs)s)
ORDER BY report_date, asset;
