-- Attempts stored for the same weekday of the last four weeks, as far as those days were loaded.
SELECT loaded + already_there AS volume
FROM grader_load
WHERE report_date IN (
    %(day)s::date - 7,
    %(day)s::date - 14,
    %(day)s::date - 21,
    %(day)s::date - 28
);
