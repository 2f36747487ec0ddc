-- A number for each new learner of the day.
INSERT INTO learner (user_id)
SELECT DISTINCT user_id
FROM fresh_engagement AS fresh
WHERE NOT EXISTS (SELECT FROM learner WHERE learner.user_id = fresh.user_id);
