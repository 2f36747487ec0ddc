-- A mark (130_changes_of_others.sql) for each quarter hour in which the learner has an attempt.
INSERT INTO grader_change (quarter_hour)
SELECT DISTINCT date_bin('15 minutes', created_at, '2000-01-01')
FROM grader
WHERE user_id = %(learner)s
  AND created_at BETWEEN '0002-01-01' AND '9998-12-31'
RETURNING quarter_hour;
