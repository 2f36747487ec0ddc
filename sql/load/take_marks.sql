DELETE FROM grader_change
WHERE quarter_hour >= %(day_start)s
  AND quarter_hour < %(day_end)s;
