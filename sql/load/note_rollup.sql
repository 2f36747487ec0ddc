INSERT INTO rollup_day (report_date, version, attempts)
VALUES (%(day)s, nextval('rollup_version'), %(attempts)s)
ON CONFLICT (report_date) DO UPDATE
SET version  = excluded.version,
    attempts = excluded.attempts;
