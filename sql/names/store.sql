-- Remember the name of a course, or of a task of it.
INSERT INTO given_name (course, task, name)
VALUES (%(course)s, %(task)s, %(name)s)
ON CONFLICT (course, task) DO UPDATE SET name = excluded.name
WHERE given_name.name <> excluded.name;
