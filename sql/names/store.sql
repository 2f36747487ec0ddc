-- Remember the name of a course, or of a task of it, and what was shown before.
INSERT INTO given_name (course, task, name, former)
VALUES (%(course)s, %(task)s, %(name)s, %(former)s)
ON CONFLICT (course, task) DO UPDATE SET name = excluded.name, former = excluded.former;
