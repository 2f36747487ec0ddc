-- Learners and tasks, by number, with the texts that may name somebody.
SELECT 'learner' AS kind, id, ARRAY[user_id::text] AS texts
FROM learner
WHERE strpos(user_id, %(part)s) > 0
UNION ALL
SELECT 'task', id, ARRAY[course::text, task::text]
FROM task
WHERE strpos(course || ' ' || task, %(part)s) > 0;
