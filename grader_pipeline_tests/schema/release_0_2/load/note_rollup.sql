INSERT INTO rollup_day (report_date, version)
VALUES (%(day)s, nextval('rollup_version'))
ON CONFLICT (report_date) DO UPDATE SET version = excluded.version;
