-- The numbers of the day's learners, in the order of their names.
SELECT string_agg(int4send(id), '' ORDER BY place) AS numbers
FROM unnest(%(learners)b::text[]) WITH ORDINALITY AS named (user_id, place)
JOIN learner USING (user_id);
