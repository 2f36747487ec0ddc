INSERT INTO audit_log (action, done_by, learner, days, first_date, last_date)
VALUES (%(action)s, %(done_by)s, %(learner)s, %(days)s, %(first)s, %(last)s)
RETURNING id;
