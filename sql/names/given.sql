-- The names that readers gave to courses and tasks, and what was shown before. A name that is a
-- learner's user_id is never shown.
SELECT course, task, former, CASE WHEN learners.user_id IS NULL THEN name END AS name
FROM given_name
LEFT JOIN (
    SELECT user_id FROM learner
    UNION
    SELECT user_id FROM excluded_learner
) AS learners ON learners.user_id = name;
