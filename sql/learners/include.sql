DELETE FROM excluded_learner WHERE user_id = %(learner)s;
