-- Attempts stored for the same weekday of the last four weeks, one row for each loaded day.
SELECT loaded + already_there AS volume
FROM grader_load
WHERE report_date IN (
    %(day)s::date - 7,
    %(day)s::date - 14,
    %(day)s::date - 21,
    %(day)s::date - 28
);
