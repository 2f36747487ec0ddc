-- A number for each task that the day is the first to name.
INSERT INTO task (course, task)
SELECT DISTINCT course, task
FROM fresh_engagement AS fresh
WHERE NOT EXISTS (
    SELECT FROM task WHERE (task.course, task.task) = (fresh.course, fresh.task)
);
