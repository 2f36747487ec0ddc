-- A number for each new learner of the day.
INSERT INTO learner (user_id)
SELECT user_id
FROM unnest(%(learners)b::text[]) WITH ORDINALITY AS named (user_id, place)
WHERE NOT EXISTS (SELECT FROM learner WHERE learner.user_id = named.user_id)
ORDER BY place;
