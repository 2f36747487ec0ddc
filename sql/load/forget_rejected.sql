-- Quarantine of the day that the response no longer gives.
DELETE FROM grader_rejected AS stored
WHERE report_date = %(day)s
  AND NOT EXISTS (SELECT FROM staged_rejected AS staged WHERE staged.position = stored.position);
