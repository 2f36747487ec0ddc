-- The day's line of the ledger.
SELECT received, loaded, already_there, duplicates, rejected
FROM grader_load
WHERE report_date = %(report_date)s;
