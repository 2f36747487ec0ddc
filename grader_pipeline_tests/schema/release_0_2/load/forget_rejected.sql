-- Quarantine of the day at positions that the answer no longer has in quarantine.
DELETE FROM grader_rejected AS stored
WHERE report_date = %(day)s
  AND NOT EXISTS (SELECT FROM staged_rejected AS staged WHERE staged.position = stored.position);
