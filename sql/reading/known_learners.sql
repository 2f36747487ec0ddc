-- Those of some texts that are a learner's user_id. An excluded learner may have no number.
SELECT user_id
FROM learner
WHERE user_id = ANY (%(texts)s)
UNION
SELECT user_id
FROM excluded_learner
WHERE user_id = ANY (%(texts)s);
