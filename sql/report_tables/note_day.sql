INSERT INTO report_day (report, report_date, inputs, day_version)
VALUES (%(report)s, %(day)s, %(inputs)s, %(day_version)s)
ON CONFLICT (report, report_date) DO UPDATE
SET inputs      = excluded.inputs,
    day_version = excluded.day_version
WHERE (report_day.inputs, report_day.day_version)
    IS DISTINCT FROM (excluded.inputs, excluded.day_version);
