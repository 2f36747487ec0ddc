-- The numbers of the day's tasks, in the order of their names.
SELECT string_agg(int4send(id), '' ORDER BY place) AS numbers
FROM unnest(%(courses)b::text[], %(tasks)b::text[]) WITH ORDINALITY AS named (course, task, place)
JOIN task USING (course, task);
