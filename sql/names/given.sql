-- The names that readers gave to courses and tasks. A name that is a learner's user_id is never shown.
SELECT course, task, name
FROM given_name
WHERE name NOT IN (SELECT user_id FROM learner WHERE user_id = ANY (ARRAY(SELECT name FROM given_name)))
  AND name NOT IN (SELECT user_id FROM excluded_learner);
