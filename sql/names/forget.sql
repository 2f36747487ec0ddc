-- Forget the names of all courses and tasks but these, each written as course, a blank, task.
DELETE FROM given_name
WHERE course || ' ' || task <> ALL (%(keys)s::text[]);
