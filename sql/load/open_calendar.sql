-- One row, if there is none. A second session waits here until the first one has committed.
INSERT INTO school_calendar (timezone, start_date)
VALUES (%(timezone)s, %(start_date)s)
ON CONFLICT DO NOTHING;
