-- A number for each new task of the day.
INSERT INTO task (course, task)
SELECT DISTINCT course, task
FROM fresh_engagement AS fresh
WHERE NOT EXISTS (
    SELECT FROM task WHERE (task.course, task.task) = (fresh.course, fresh.task)
);
