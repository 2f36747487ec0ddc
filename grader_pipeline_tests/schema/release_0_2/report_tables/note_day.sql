INSERT INTO report_day (report, report_date, inputs)
VALUES (%(report)s, %(day)s, %(inputs)s)
ON CONFLICT (report, report_date) DO UPDATE SET inputs = excluded.inputs
WHERE report_day.inputs <> excluded.inputs;
