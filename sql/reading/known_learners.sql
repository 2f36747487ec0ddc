-- Those of some texts that are a learner's user_id.
SELECT user_id
FROM learner
WHERE user_id = ANY (%(texts)s);
