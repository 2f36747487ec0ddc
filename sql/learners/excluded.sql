SELECT user_id FROM excluded_learner;
