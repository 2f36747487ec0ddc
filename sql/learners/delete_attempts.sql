DELETE FROM grader WHERE id = ANY (%(ids)s);
