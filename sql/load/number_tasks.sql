-- A number for each new task of the day.
INSERT INTO task (course, task)
SELECT course, task
FROM unnest(%(courses)b::text[], %(tasks)b::text[]) WITH ORDINALITY AS named (course, task, place)
WHERE NOT EXISTS (SELECT FROM task WHERE (task.course, task.task) = (named.course, named.task))
ORDER BY place;
