INSERT INTO school_calendar (timezone, start_date)
VALUES (%(timezone)s, %(start_date)s)
ON CONFLICT (only_row) DO UPDATE
SET timezone   = excluded.timezone,
    start_date = excluded.start_date;
