-- A day is stored if it has a line of the ledger, or attempts.
DELETE FROM rollup_day
WHERE report_date = %(day)s
  AND NOT EXISTS (SELECT FROM grader_load WHERE report_date = %(day)s)
  AND NOT EXISTS (
      SELECT FROM grader WHERE created_at >= %(day_start)s AND created_at < %(day_end)s
  );
